"""The file of codes: what its arrays must be."""

from __future__ import annotations

from dataclasses import replace

from distill.checked import ArraySpec
from distill.codebook.labels import LONGEST_LABEL
from distill.encoded.file import MADE_BY, MODEL_NAME, NUMBER, EncodedFile
from distill.errors import CodesError

_MOST_LEVELS, _MOST_CODES = 64, 1 << 26

CODES_FILE = EncodedFile(
    "codes",
    CodesError,
    {
        "indices": ArraySpec(kinds="iu", ndim=2, most=_MOST_CODES),
        "codebook_size": NUMBER,
        "labels": ArraySpec(kinds="U", ndim=1, most=_MOST_LEVELS, longest=LONGEST_LABEL),
        # The first files of codes do not say who made them.
        "made_by": replace(MADE_BY, optional=True),
        "model_name": replace(MODEL_NAME, optional=True),
    },
)
