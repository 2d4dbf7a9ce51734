"""Which names a module's child may have."""

from __future__ import annotations

import keyword
import re
from typing import Final

_SEGMENT: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,99}\Z|[0-9]{1,6}\Z", re.ASCII)

MODULE_ATTRIBUTES: Final = frozenset(  # a table reads better than a list of quoted words
    """
    T_destination add_module append apply bfloat16 buffers call_super_init children clear compile cpu cuda double
    dump_patches eval extend extra_repr feature_info float forward get get_buffer get_extra_state get_parameter
    get_submodule half initialize_weights insert ipu items keys load_state_dict modules mtia named_buffers
    named_children named_modules named_parameters parameters pop register_backward_hook register_buffer
    register_forward_hook register_forward_pre_hook register_full_backward_hook register_full_backward_pre_hook
    register_load_state_dict_post_hook register_load_state_dict_pre_hook register_module register_parameter
    register_state_dict_post_hook register_state_dict_pre_hook requires_grad_ reset_parameters set_extra_state
    set_submodule share_memory spec state_dict to to_empty train training type update values xpu zero_grad
    """.split()  # noqa: SIM905
)
"""What `nn.Module`, its containers and our own root class call their own methods."""

SYNTAX_WORDS: Final = frozenset({"input", "here"})
"""Names of values that are always there."""


def objection(name: str) -> str | None:
    """Why a child cannot be called so; None if it can. A dot nests."""
    for segment in name.split("."):
        if not _SEGMENT.match(segment):
            return "a name is made of letters, digits and underscores, or is a number"
        if keyword.iskeyword(segment) or segment in ("self", "nn", "torch"):
            return f"`{segment}` is a word of Python"
        if segment in MODULE_ATTRIBUTES or segment.startswith("__"):
            return f"`{segment}` is a method of torch's modules"
        if segment in SYNTAX_WORDS:
            return f"`{segment}` always means the value that goes in"
    return None
