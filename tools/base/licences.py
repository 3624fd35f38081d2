"""Where the material comes from, by whose leave, and where that is written."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

_DEBIAN = Path("/usr/share/doc")
_SOUNDS = Path("/usr/share/sounds")


@dataclass(frozen=True)
class Source:
    """One origin of material."""

    name: str
    about: str
    licence: str
    must_say: str = ""
    """A sentence of the licence without which its package is another one than we read."""
    package: str = ""
    file: str = ""
    """The sound font, or the program's name."""

    @property
    def copyright_file(self) -> Path:
        """Debian's record of who made it and what they allow."""
        return _DEBIAN / self.package / "copyright"

    @property
    def path(self) -> Path:
        """Where the sound font or the program lies."""
        if self.file.endswith((".sf2", ".sf3")):
            return _SOUNDS / self.file
        return Path(shutil.which(self.file) or self.file)

    def problem(self) -> str:
        """Why it cannot be used on this machine; empty where it can."""
        if not self.package:
            return ""
        if not self.path.exists():
            return f"{self.path} is missing: apt-get install {self.package}"
        if self.must_say not in " ".join(self.copyright_file.read_text("utf-8").split()):
            return f"{self.copyright_file} does not say {self.must_say!r}: read it before using it"
        return ""

    def record(self) -> dict[str, Any]:
        """What the report and the model's header say of it."""
        record = {k: v for k, v in asdict(self).items() if v and k != "must_say"}
        if self.package:
            record["sha256"] = hashlib.sha256(self.path.read_bytes()).hexdigest()
            record["copyright_file"] = str(self.copyright_file)
        return record


FLUID = Source(
    name="fluid",
    about="Fluid (R3) General MIDI sound font, Frank Wen and contributors",
    licence="MIT",
    must_say="I hereby release Fluid under the MIT license",
    package="fluid-soundfont-gm",
    file="sf2/FluidR3_GM.sf2",
)
MUSESCORE = Source(
    name="musescore",
    about="MuseScore General sound font, S. Christian Collins and contributors",
    licence="MIT, parts public domain or CC0",
    must_say="MuseScore_General_HQ SoundFont (MIT, parts PD or CC0)",
    package="musescore-general-soundfont",
    file="sf3/MuseScore_General_Full.sf3",
)
FLITE = Source(
    name="flite",
    about="Flite and its voices, Carnegie Mellon University; invented words",
    licence="MIT-like (free to use and distribute without restriction, notices kept)",
    must_say="free of charge, to use and distribute this software and its documentation without",
    package="flite",
    file="flite",
)
OWN = Source(
    name="own",
    about="synthesis in tools/base: oscillators, FM, strings, modes, noise, grains, formants",
    licence="MIT, as this repository",
)
SOURCES = {source.name: source for source in (FLUID, MUSESCORE, FLITE, OWN)}
