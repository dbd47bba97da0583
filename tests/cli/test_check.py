"""`cxsim check` tells every mistake of every file, each with file and key."""

from __future__ import annotations

from cxsim.params import root

_PARAMS = root() / "params"
SHOP = "economics/cdnow.yaml"
POINTS = "strategies/points-programme.yaml"


def _params(project):
    """Count the files under params/: scenarios, strategies, shops, sources, levers, the schema."""
    return sum(place.startswith("params/") for place in project.files())


def test_sound_files_are_counted(project):
    sentence = project("check")
    assert (sentence.code, sentence.err) == (0, "")
    assert sentence.out == f"{_params(project)} files checked; all is well.\n"


def test_one_sound_file_is_one_file(project):
    assert project("check", "params/economics/cdnow.yaml").out == "1 file checked; all is well.\n"


def test_all_mistakes_of_all_files_are_sentence_at_once(project):
    project.edit(SHOP, "timing: mid", "timing: middle")
    project.edit(SHOP, "currency: USD", "curency: USD")
    project.edit(POINTS, "source: nastasoiu-2021", "source: nastasoiu-2012")
    project.edit(POINTS, "Share of customers that ever joins.", '""')
    project.edit("sources.yaml", "  grade: B", "  grade: F")
    project.edit("scenarios/tiny.yaml", "win-back-coupon", "win-back")
    lines = project("check").error.splitlines()
    assert lines[0] == f"7 mistakes in {_params(project)} files."
    for start, words in [
        ("params/economics/cdnow.yaml: currency: missing", ""),
        ("params/economics/cdnow.yaml: curency: unknown key", "did you mean 'currency'?"),
        ("params/economics/cdnow.yaml: timing: 'middle' is not possible", "did you mean 'mid'?"),
        ("params/scenarios/tiny.yaml: strategies.1: ", "did you mean 'win-back-coupon'?"),
        ("params/sources.yaml: gopalakrishnan-2021.grade: 'F' is not possible", "possible: A, B, C, D, E."),
        (
            "params/strategies/points-programme.yaml: effects.purchase_rate_2.ratio.source: ",
            "did you mean 'nastasoiu-2021'?",
        ),
        ("params/strategies/points-programme.yaml: reach.uptake.description: empty", ""),
    ]:
        assert any(line.startswith(start) and words in line for line in lines)


def test_a_source_that_is_not_listed_is_answered_with_the_nearest(project):
    project.edit(POINTS, "source: nastasoiu-2021", "source: nastasoiu-2012")
    message = project("check").error
    assert "effects.purchase_rate_2.ratio.source: no 'nastasoiu-2012'" in message
    assert "did you mean 'nastasoiu-2021'?" in message


def test_a_number_without_description_is_refused(project):
    project.edit(POINTS, "Share of customers that ever joins.", '""')
    assert project("check").error.splitlines() == [
        f"1 mistake in {_params(project)} files.",
        "params/strategies/points-programme.yaml: reach.uptake.description: empty; say what the number means.",
    ]


def test_a_mistake_of_a_strategy_is_sentence_once_and_under_its_own_name(project):
    project.edit(POINTS, "value: 0.85", "value: 1.85")
    lines = project("check").error.splitlines()
    assert lines[1:] == [
        "params/strategies/points-programme.yaml: effects.0.dropout.ratio: value 1.85 is outside its range [0.7, 1]."
    ]


def test_a_scenario_alone_is_checked_with_what_it_names(project):
    project.edit(POINTS, "value: 0.85", "value: 1.85")
    project.edit(SHOP, "timing: mid", "timing: middle")
    lines = project("check", "params/scenarios/tiny.yaml").error.splitlines()
    assert lines[0] == "2 mistakes in 1 file."
    assert any(line.startswith("params/economics/cdnow.yaml: timing") for line in lines)
    assert any(line.startswith("params/strategies/points-programme.yaml: effects.0") for line in lines)


def test_files_elsewhere_are_known_by_their_folder(project, tmp_path):
    folder = tmp_path / "elsewhere" / "strategies"
    folder.mkdir(parents=True)
    text = (project.folder / "params" / POINTS).read_text(encoding="utf-8")
    (folder / "mine.yaml").write_text(text, encoding="utf-8")
    assert project("check", folder / "mine.yaml").out == "1 file checked; all is well.\n"
    (folder / "mine.yaml").write_text(text.replace("value: 0.85", "value: 1.85"), encoding="utf-8")
    assert f"{folder / 'mine.yaml'}: effects.0.dropout.ratio: value 1.85" in project("check", folder.parent).error


def test_sources_elsewhere_are_read_where_they_lie(project, tmp_path):
    (tmp_path / "sources.yaml").write_text("a-2020:\n  authors: A\n", encoding="utf-8")
    assert f"{tmp_path / 'sources.yaml'}: a-2020.year: missing" in project("check", tmp_path / "sources.yaml").error


def test_a_file_in_no_known_folder_is_refused(project, tmp_path):
    (tmp_path / "strategy.yaml").write_text("a: 1\n")
    message = project("check", tmp_path / "strategy.yaml").error
    assert (
        "not known what it holds; possible: scenarios, strategies, economics, behaviour, valuations, formats."
        in message
    )


def test_a_path_that_does_not_exist_is_refused(project):
    assert project("check", "params/scenario").error == "no file or folder params/scenario."


def test_a_folder_without_files_is_refused(project):
    (project.folder / "nothing").mkdir()
    assert project("check", "nothing").error == "nothing: no YAML file in this folder."


def test_an_old_schema_is_found_and_written_anew(project):
    (project.folder / "params" / "schema.json").write_text("{}", encoding="utf-8")
    assert "params/schema.json: differs from what the code reads" in project("check").error
    assert project("check", "--write-schema").out == f"{_params(project)} files checked; all is well.\n"


def test_every_mistake_of_the_sources_is_sentence(project):
    project.edit("sources.yaml", "  year: 2021\n", "")
    project.edit("sources.yaml", "  grade: B", "  grade: F")
    message = project("check", "params/sources.yaml").error
    assert "gopalakrishnan-2021.year: missing" in message
    assert "gopalakrishnan-2021.grade: 'F' is not possible" in message


def test_a_valuation_of_the_name_of_a_scenario_is_refused(project):
    valuation = (_PARAMS / "valuations" / "cdnow-value-quick.yaml").read_text(encoding="utf-8")
    (project.folder / "params" / "valuations" / "tiny.yaml").write_text(valuation, encoding="utf-8")
    message = project("check").error
    assert "params/valuations/tiny.yaml: there is a file scenarios/tiny.yaml too; give one of them another" in message
    assert "params/scenarios/tiny.yaml: there is a file valuations/tiny.yaml too" in message


def test_a_mistake_in_a_valuation_is_sentence_with_its_key(project):
    valuation = (_PARAMS / "valuations" / "cdnow-value-quick.yaml").read_text(encoding="utf-8")
    wrong = valuation.replace("draws: ", "drawz: ").replace("  unit: share\n", "  unit: ratio\n")
    (project.folder / "params" / "valuations" / "worth.yaml").write_text(wrong, encoding="utf-8")
    message = project("check", "params/valuations").error
    assert "params/valuations/worth.yaml: drawz: unknown key; did you mean 'draws'?" in message
