"""Names that a module's children, and what it stores beside them, cannot have."""

from __future__ import annotations

import keyword
import re
from typing import Final

MODULE_ATTRIBUTES: Final = frozenset(  # a table reads better than a list of quoted words
    """
    T_destination add_module append apply bfloat16 buffers call_super_init children clear compile cpu cuda double
    dump_patches eval extend extra_repr feature_info float forward forward_features forward_head get get_buffer
    get_classifier get_extra_state get_parameter get_submodule group_matcher half head_hidden_size in_chans
    initialize_weights insert ipu items keys load_state_dict modules mtia named_buffers named_children named_modules
    named_parameters no_weight_decay num_classes num_features out_channels parameters pop pretrained_cfg
    register_backward_hook register_buffer register_forward_hook register_forward_pre_hook
    register_full_backward_hook register_full_backward_pre_hook register_load_state_dict_post_hook
    register_load_state_dict_pre_hook register_module register_parameter register_state_dict_post_hook
    register_state_dict_pre_hook requires_grad_ reset_classifier reset_parameters set_extra_state
    set_grad_checkpointing set_submodule share_memory spec state_dict to to_empty train training type update values
    xpu zero_grad
    """.split()  # noqa: SIM905
)
"""What `nn.Module`, its containers and our own root class call their own methods."""

PRIVATE_MODULE_ATTRIBUTES: Final = frozenset(
    """
    _apply _as_built _backward_hooks _backward_pre_hooks _buffers _built _call_impl _classifier _compiled_call_impl
    _forward_hooks _forward_hooks_always_called _forward_hooks_with_kwargs _forward_pre_hooks
    _forward_pre_hooks_with_kwargs _get_abs_string_index _get_backward_hooks _get_backward_pre_hooks
    _get_item_by_idx _get_name _head _is_full_backward_hook _load_from_state_dict _load_state_dict_post_hooks
    _load_state_dict_pre_hooks _maybe_warn_non_full_backward_hook _modules _named_members
    _non_persistent_buffers_set _parameters _part _register_load_state_dict_pre_hook _register_state_dict_hook
    _replicate_for_data_parallel _repr_mimebundle_ _save_to_state_dict _slow_forward _state_dict_hooks
    _state_dict_pre_hooks _version _wrapped_call_impl
    """.split()  # noqa: SIM905
)
"""What they keep to themselves."""

_OURS: Final = frozenset(
    """
    feature_info forward_features forward_head get_classifier group_matcher head_hidden_size in_chans
    initialize_weights no_weight_decay num_classes num_features out_channels pretrained_cfg reset_classifier
    set_grad_checkpointing spec _as_built _built _classifier _head _part _repr_mimebundle_
    """.split()  # noqa: SIM905
)
"""Those of them that torch does not know: what a built network says of itself, as timm's do, and what it keeps."""

_NO_METHODS: Final = frozenset(
    """
    T_destination call_super_init dump_patches training _backward_hooks _backward_pre_hooks _buffers
    _compiled_call_impl _forward_hooks _forward_hooks_always_called _forward_hooks_with_kwargs _forward_pre_hooks
    _forward_pre_hooks_with_kwargs _is_full_backward_hook _load_state_dict_post_hooks _load_state_dict_pre_hooks
    _modules _non_persistent_buffers_set _parameters _state_dict_hooks _state_dict_pre_hooks _version
    """.split()  # noqa: SIM905
)
"""Those of torch's that are no methods."""

MAXIMUM_NAME: Final = 100
MAXIMUM_NUMBER: Final = 6
_NAME: Final = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


def objection_to_module(name: str) -> str | None:
    """Why a child of a module cannot be called so; None if it can."""
    if not _NAME.fullmatch(name):
        letters = "letters" if name.isascii() else "letters from a to z"
        return f"a name is made of {letters}, digits, underscores and hyphens, or is a number"
    if name.isdigit():
        return f"a number in a name has at most {MAXIMUM_NUMBER} digits" if len(name) > MAXIMUM_NUMBER else None
    if name[0] in "-0123456789":
        return "a name begins with a letter or an underscore, or has digits alone"
    if len(name) > MAXIMUM_NAME:
        return f"a name has at most {MAXIMUM_NAME} characters"
    if keyword.iskeyword(name) or name in ("self", "nn", "torch"):
        return f"`{name}` is a word of Python"
    if name in _OURS:
        return f"`{name}` has a meaning of its own in built networks"
    if name in MODULE_ATTRIBUTES or name in PRIVATE_MODULE_ATTRIBUTES:
        return f"`{name}` is {'an attribute' if name in _NO_METHODS else 'a method'} of torch's modules"
    if name.startswith("__"):
        return "two underscores begin names that are Python's own"
    return None


def no_name_of_tensor(op: str, name: str, is_listed: bool, is_numbered: bool) -> tuple[str, str]:
    """What is wrong with the name of a tensor that a block holds, and what to write. It has a number as name, that of a step in
    a list (`is_listed`), or one that `sequential` gives (`is_numbered`)."""
    if is_numbered:
        message = (
            f"a {op} cannot be `{name}`: the numbered children of an `nn.Sequential` are modules, and this is a tensor"
        )
        return (
            message,
            "put it into the body of a step or of a block, with the steps that take it, or leave out `sequential`",
        )
    message = f"a {op} cannot be called `{name}`: it is an attribute of the block that holds it"
    begins = " that begins with a letter" if name[0].isdigit() else ""
    way = "write the steps as a map, without dashes, and call this one" if is_listed else "call the step"
    return message, f"{way} by a word of letters, digits and underscores{begins}"
