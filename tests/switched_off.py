"""Switching a clause off: every value of a policy file that cites it is left out, or changed to another value of its kind."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from io import StringIO

from ruamel.yaml import YAML

from domain.policy import Policy
from policies import load
from policies.contradictions import contradictions
from policies.load import Unreadable
from policies.names import wrong_names

NOBODY = "nobody-at-all"
Path_ = tuple[str | int, ...]


def places(data: object, clause: str, at: Path_ = ()) -> Iterator[Path_]:
    """Yields where a value of a policy file cites a clause, the deepest first."""
    if isinstance(data, dict):
        for key, item in data.items():
            yield from places(item, clause, (*at, key))
        if clause in data.get("cites", ()):
            yield at
    elif isinstance(data, list):
        for n, item in reversed(list(enumerate(data))):  # the last first, so that leaving one out moves none before it
            yield from places(item, clause, (*at, n))


def without(policy: str, clause: str, only: Path_ | None = None, *, left: bool = True) -> str | None:
    """Returns the text of a policy file in which each value that cites the clause (or one of them) is switched off, or None where
    none loads. `left`: it is left out where a file loads without it; else it is always changed."""
    data = plain(policy)
    changed = False
    for at in (only,) if only else places(plain(policy), clause):
        following = next((one for one in switched_off(data, at, CHANGES[0 if left else 1 :]) if loads(one)), None)
        if following is not None:
            data, changed = following, True
    return dumped(data) if changed else None


def cited_beside_its_name(policy: str, clause: str) -> Iterator[Path_]:
    """Yields where a clause is cited beside the default that bears its name: the value stays without the citation, and says less."""
    data = plain(policy)
    return (at for at in places(data, clause) if _node(data, at).get("default") == clause)


def uncited(policy: str, clause: str, at: Path_) -> str | None:
    """Returns the text of a policy file in which one value no longer cites a clause, its default staying; None where that loads not."""
    data = plain(policy)
    node = _node(data, at)
    cites = node["cites"]
    assert isinstance(cites, list)
    node["cites"] = [one for one in cites if one != clause]
    return dumped(data) if loads(data) else None


def switched_off(data: dict[str, object], at: Path_, changes: tuple[Change, ...]) -> Iterator[dict[str, object]]:
    """Yields the file with one value left out, then with it changed, the strongest change first."""
    for change in changes:
        changed = deepcopy(data)
        try:
            if change(changed, at):
                yield changed
        except (KeyError, IndexError, TypeError):
            continue


def _parent(data: object, at: Path_) -> tuple[dict[object, object], object]:
    for part in at[:-1]:
        data = data[part]  # type: ignore[index]
    return data, at[-1]  # type: ignore[return-value]


def _node(data: object, at: Path_) -> dict[str, object]:
    parent, key = _parent(data, at)
    return parent[key]  # type: ignore[return-value]


def _left_out(data: object, at: Path_) -> bool:
    parent, key = _parent(data, at)
    del parent[key]
    return True


def _inverted(data: object, at: Path_) -> bool:
    node = _node(data, at)
    if not isinstance(node.get("value"), bool):
        return False
    node["value"] = not node["value"]
    return True


def _next_number(data: object, at: Path_) -> bool:
    node = _node(data, at)
    if type(node.get("value")) is not int:
        return False
    node["value"] = int(str(node["value"])) + 1
    return True


def _other(n: int) -> Change:
    def change(data: object, at: Path_) -> bool:
        node = _node(data, at)
        if not isinstance(node.get("value"), str):
            return False
        own = node["value"]
        node["value"] = "-"
        try:
            require_policy(data)
        except Unreadable as fault:
            known = [one for one in re.findall(r"'([a-z0-9-]+)'", str(fault)) if one != own]
            node["value"] = known[n]
            return True
        node["value"] = "Something else altogether."
        return n == 0

    return change


def _fewer(n: int) -> Change:
    """Takes one of the things listed off the end of a list that must be there."""

    def change(data: object, at: Path_) -> bool:
        listed = _node(data, at).get("value")
        if not isinstance(listed, list) or len(listed) < 2:
            return False
        del listed[-1 - n]
        return True

    return change


def _nobodys(data: object, at: Path_) -> bool:
    node = _node(data, at)
    if "offices" not in node and "relation" not in node:
        return False
    assert isinstance(data, dict)
    data["offices"][NOBODY] = {"label": "nobody at all", "default": "EH-02"}
    node.pop("relation", None)
    node["offices"] = [NOBODY]
    return True


def _next_day(data: object, at: Path_) -> bool:
    node = _node(data, at)
    if node.get("value") is not None:
        return False
    node["value"] = "2001-01-01"
    return True


def _emptied(data: object, at: Path_) -> bool:
    """Takes what a value holds besides its source out of it, one whole value that must be there."""
    node = _node(data, at)
    kept = {"cites", "default", "unconfirmed", "modality", "note"}
    optional = [key for key in node if key not in kept]
    if "label" in optional:
        node["label"] = "something else altogether"
        return True
    return False


def _closed(data: object, at: Path_) -> bool:
    """Closes the list of behaviours: other behaviour must be spoken of, so its opposite is that there is none."""
    if at != ("other_behaviour",):
        return False
    _node(data, at)["allowed"] = False
    return True


def _for_others(data: object, at: Path_) -> bool:
    """Keeps an option that other values name, and offers it to nobody but agents."""
    node = _node(data, at)
    if at[:2] != ("decision", "options") or "type" not in node or "only_for" in node:
        return False
    node["only_for"] = "agent"
    return True


Change = Callable[[object, Path_], bool]
"""Makes one change in a file at a place; False, or an error of access, where it is none for the value there."""
CHANGES: tuple[Change, ...] = (
    _left_out,
    _closed,
    _inverted,
    _next_number,
    *(_other(n) for n in range(6)),
    *(_fewer(n) for n in range(4)),
    _nobodys,
    _next_day,
    _for_others,
    _emptied,
)


def plain(policy: str) -> dict[str, object]:
    return YAML(typ="safe").load(load.policy_text(policy))  # type: ignore[no-any-return]


def dumped(data: object) -> str:
    out = StringIO()
    YAML(typ="safe").dump(data, out)
    return out.getvalue()


def require_policy(data: object) -> None:
    """Refuses what no policy file may hold, as the loader does. Raises Unreadable."""
    found = load.build(Policy, data, "mutant")
    wrong = [what for _, what in (*wrong_names(found), *contradictions(found))]
    if wrong:
        raise Unreadable("\n".join(wrong))


def loads(data: object) -> bool:
    try:
        require_policy(data)
    except Unreadable:
        return False
    return True
