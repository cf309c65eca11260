from pytestqt.qtbot import QtBot

from sslstudio.engine.compute.device import DeviceFound
from sslstudio.ui.forms.run_settings import DeviceBox

CPU = DeviceFound("cpu", "CPU")


def gpus(*troubles: str) -> list[DeviceFound]:
    return [DeviceFound(f"cuda:{number}", f"GPU {number}", trouble) for number, trouble in enumerate(troubles)]


def test_several_gpus_can_share_the_work(qtbot: QtBot) -> None:
    box = DeviceBox([*gpus("", "too old", ""), CPU], sharing=True)
    qtbot.addWidget(box)
    assert (box.device(), box.processes()) == ("auto", 0)
    box.setCurrentIndex(box.findData("together"))
    assert box.currentText() == "All 2 GPUs together"
    assert (box.device(), box.processes()) == ("auto", 2)


def test_one_gpu_is_not_offered_together_nor_where_work_is_not_shared(qtbot: QtBot) -> None:
    for box in (DeviceBox([*gpus("", "too old"), CPU], sharing=True), DeviceBox([*gpus("", ""), CPU])):
        qtbot.addWidget(box)
        assert box.findData("together") == -1
