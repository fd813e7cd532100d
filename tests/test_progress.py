"""What long work tells: stages by name, and parts of one total."""

from hemashift.progress import of_part, of_stage


def test_parts_of_a_stage_count_on() -> None:
    said: list[tuple[str, int, int]] = []
    stage = of_stage(lambda *told: said.append(told), "reading images")
    for before, count in ((0, 2), (2, 1)):
        part = of_part(stage, before, 3)
        assert part is not None
        for done in range(1, count + 1):
            part(done, count)
    assert said == [("reading images", done, 3) for done in (1, 2, 3)]


def test_nobody_is_told_where_nobody_listens() -> None:
    assert of_stage(None, "reading images") is None
    assert of_part(None, 0, 3) is None
