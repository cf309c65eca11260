"""A registry keeps its order, refuses a second entry of one name and helps with an unknown one."""

import pytest

from sslstudio.engine.core.errors import ConfigError
from sslstudio.engine.core.registry import Registry


def filled() -> Registry[int]:
    registry: Registry[int] = Registry("animal")
    for number, name in enumerate(("zebra", "ant", "mole")):
        assert registry.register(name)(number) == number
    return registry


def test_entries_come_back_in_the_order_of_registration() -> None:
    registry = filled()
    assert registry.names() == list(registry) == ["zebra", "ant", "mole"]
    assert [registry[name] for name in registry] == [0, 1, 2]
    assert len(registry) == 3
    assert "ant" in registry
    assert "bee" not in registry


def test_a_second_registration_raises_and_leaves_the_first() -> None:
    registry = filled()
    with pytest.raises(ValueError, match="animal 'ant' is registered twice"):
        registry.register("ant")(9)
    assert registry["ant"] == 1


def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"no animal called 'zebar'\. Did you mean 'zebra'\?"):
        filled()["zebar"]


def test_a_name_that_is_near_to_none_gets_the_list() -> None:
    with pytest.raises(ConfigError, match=r"Known are: ant, mole, zebra\."):
        filled()["qqqqqq"]


def test_the_decorator_hands_the_class_back() -> None:
    registry: Registry[type] = Registry("class")

    @registry.register("one")
    class One:
        pass

    assert registry["one"] is One
    assert isinstance(One(), One)


def test_the_list_of_names_is_a_copy() -> None:
    registry = filled()
    registry.names().clear()
    assert len(registry) == 3
