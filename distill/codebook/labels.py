"""What people call the levels."""

LONGEST_LABEL = 40
"""Characters of a name; longer ones break every view of a grid."""

_LABELS = {
    1: ("Structure",),
    2: ("Structure", "Detail"),
    3: ("Structure", "Timbre", "Detail"),
    4: ("Structure", "Timbre", "Texture", "Detail"),
}


def level_labels(levels: int) -> tuple[str, ...]:
    """Names of a model's levels, coarse to fine.

    Example:
        >>> level_labels(3)
        ('Structure', 'Timbre', 'Detail')
        >>> level_labels(5)
        ('Structure', 'Timbre', 'Texture', 'Detail', 'Detail 2')
    """
    if levels in _LABELS:
        return _LABELS[levels]
    return _LABELS[4] + tuple(f"Detail {number}" for number in range(2, levels - 2))
