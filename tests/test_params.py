from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal

import pytest

from cxsim.errors import ParamError
from cxsim.params import BY_KIND, locate, names, read, root, schema_text, shown, sources


@dataclass(frozen=True, kw_only=True)
class Circle:
    radius: float
    kind: Literal["circle"] = "circle"


@dataclass(frozen=True, kw_only=True)
class Square:
    side: float
    kind: Literal["square"] = "square"


@dataclass(frozen=True, kw_only=True)
class Drawing:
    name: str
    day: date
    copies: int
    shapes: tuple[Annotated[Circle | Square, BY_KIND], ...]
    frame: Square | None = None

    def __post_init__(self):
        if self.copies < 1:
            raise ParamError(f"copies must be 1 or more; found {self.copies}.")


SOUND = "day: 1998-06-30\ncopies: 2\nshapes:\n  - {kind: circle, radius: 1}\n  - {kind: square, side: 2.5}\n"


@pytest.fixture
def write(tmp_path):
    def write(text):
        path = tmp_path / "garden.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_a_file_becomes_the_dataclass_and_its_name_the_field_name(write):
    assert read(write(SOUND), Drawing) == Drawing(
        name="garden", day=date(1998, 6, 30), copies=2, shapes=(Circle(radius=1.0), Square(side=2.5))
    )


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("copies: 2", "copys: 2", "garden.yaml: copys: unknown key; did you mean 'copies'? Possible: day, "),
        ("copies: 2", "copies: 0", "garden.yaml: copies must be 1 or more; found 0."),
        ("copies: 2\n", "", "garden.yaml: copies: missing; write it."),
        ("copies: 2", 'copies: "2"', "copies: must be a whole number, without quotes and without a point; found '2'."),
        ("copies: 2", "copies: true", "copies: must be a whole number"),
        ("copies: 2", "copies: null", "copies: must be a whole number"),
        ("radius: 1", "radius: 1e3", "shapes.0.circle.radius: must be a number"),
        ("radius: 1", "raduis: 1", "circle.raduis: unknown key; did you mean 'radius'? Possible: radius, kind."),
        ("kind: circle", "kind: circel", "shapes.0: kind 'circel' is not possible; did you mean 'circle'? Possible: "),
        ("kind: circle, ", "", "shapes.0: the key 'kind' is missing"),
        ("copies: 2", "copies: 2\nframe: {sid: 1}", "frame.sid: unknown key; did you mean 'side'? Possible: "),
        ("day: 1998-06-30", "day: 30.6.1998", "day: must be a valid date in the format YYYY-MM-DD"),
        ("copies: 2", "copies: 2\ncopies: 3", "garden.yaml: line 3: not readable as YAML: key 'copies' is"),
        ("side: 2.5", "side: 2.5, side: 3", "line 5: not readable as YAML: key 'side' is written twice."),
        ("copies: 2", "copies: 2\n1: 3", "the key 1 is not text"),
        ("copies: 2", "copies: 2\nname: x", "name: unknown key; the name is the file's own, 'garden'."),
    ],
)  # fmt: skip
def test_a_mistake_is_sentence_with_file_key_and_what_is_possible(write, old, new, words):
    with pytest.raises(ParamError) as sentence:
        read(write(SOUND.replace(old, new)), Drawing)
    assert words in str(sentence.value)


def test_all_mistakes_of_a_file_are_sentence_one_in_a_line(write):
    text = SOUND.replace("copies: 2", 'copies: "2"').replace("radius", "raduis")
    with pytest.raises(ParamError) as sentence:
        read(write(text), Drawing)
    lines = str(sentence.value).splitlines()
    assert len(lines) == 3
    assert all(line.startswith(f"{shown(write(text))}: ") for line in lines)


def test_a_short_file_cannot_stand_for_an_endless_one(write):
    laughs = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"
    with pytest.raises(ParamError, match=r"line 2: not readable as YAML: a reference \(\*\); write it out"):
        read(write(laughs), Drawing)


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(ParamError, match="cannot be read"):
        read(tmp_path, Drawing)


def test_messages_name_files_from_the_project_on(monkeypatch):
    monkeypatch.chdir(root() / "params")
    assert shown(root() / "params" / "economics" / "cdnow.yaml") == "params/economics/cdnow.yaml"


def test_a_project_of_ones_own_goes_before_the_bundled_one(tmp_path, monkeypatch):
    (tmp_path / "params" / "scenarios").mkdir(parents=True)
    (tmp_path / "params" / "scenarios" / "mine.yaml").write_text("", encoding="utf-8")
    (tmp_path / "deeper").mkdir()
    monkeypatch.chdir(tmp_path / "deeper")
    assert root() == tmp_path
    assert names("scenarios") == ["mine"]


def test_a_path_is_taken_as_it_is(tmp_path):
    (tmp_path / "mine.yaml").write_text("", encoding="utf-8")
    assert locate("scenarios", str(tmp_path / "mine.yaml")) == tmp_path / "mine.yaml"


def test_names_stay_inside_their_folder():
    with pytest.raises(ParamError, match="params/scenarios: no "):
        locate("scenarios", "../economics/cdnow")


def test_every_source_says_what_was_measured():
    assert all(source.measured.strip() for source in sources().values())


def test_the_schema_names_every_key():
    text = schema_text({"drawings": Drawing})
    assert all(f'"{key}"' in text for key in ("day", "copies", "shapes", "frame", "radius", "side"))
    assert text == schema_text({"drawings": Drawing})
