"""Of the files beside a page, each kind is compared by what it holds."""

from __future__ import annotations

import zipfile

import pytest

from cxsim.audit.folders import folder_differences


@pytest.fixture
def beside(tmp_path):
    """Write two folders and return what differs, as place, said and made."""

    def differing(name, said, made):
        for turn, content in (("said", said), ("made", made)):
            (tmp_path / turn / "r").mkdir(parents=True)
            write = _workbook if isinstance(content, dict) else _bytes
            write(tmp_path / turn / "r" / name, content)
        found = folder_differences(tmp_path / "said" / "r", tmp_path / "made" / "r", "r.html")
        return [(one.where, one.said, one.made) for one in found]

    return differing


def _bytes(path, content):
    path.write_bytes(content)


def _workbook(path, parts):
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in parts.items():
            archive.writestr(zipfile.ZipInfo(name), text)


def _parts(number, text="fund", **more):
    return {
        "xl/workbook.xml": '<sheets><sheet name="Returns &amp; more" sheetId="1"/></sheets>',
        "xl/sharedStrings.xml": f"<sst><si><t>strategy</t></si><si><t>{text}</t></si></sst>",
        "xl/worksheets/sheet1.xml": (
            '<row><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c><c r="C1"/></row>'
            f'<row><c r="A2" s="3"><f>SUM(B2:C2)</f><v>{number}</v></c></row>'
        ),
        **more,
    }


def test_a_cell_of_a_workbook_is_named_with_its_sheet(beside):
    assert beside("r.xlsx", _parts(1), _parts(2)) == [("file r/r.xlsx, sheet Returns & more, cell A2", "1", "2")]


def test_a_text_of_a_workbook_is_named_where_it_stands(beside):
    assert beside("r.xlsx", _parts(1), _parts(1, "pilot")) == [
        ("file r/r.xlsx, sheet Returns & more, cell B1", "fund", "pilot")
    ]


def test_a_formula_or_a_style_of_a_workbook_is_named_by_its_part(beside):
    changed = {**_parts(1), "xl/styles.xml": "<b/>"}
    changed["xl/worksheets/sheet1.xml"] = changed["xl/worksheets/sheet1.xml"].replace("SUM", "MAX")
    assert beside("r.xlsx", _parts(1) | {"xl/styles.xml": "<a/>"}, changed) == [
        ("file r/r.xlsx: its part xl/styles.xml differs", None, None),
        ("file r/r.xlsx: its part xl/worksheets/sheet1.xml differs", None, None),
    ]


def test_what_is_no_workbook_any_more_is_told_by_its_first_byte(beside):
    assert beside("r.xlsx", b"PK\xff\x00", b"PK\xfe\x00") == [
        ("byte 3 of file r/r.xlsx", "50 4b ff 00", "50 4b fe 00")
    ]  # fmt: skip


def test_a_text_is_told_line_by_line(beside):
    assert beside("r.md", b"# R\n1\nend\n", b"# R\n2\nend\nmore\n") == [
        ("file r/r.md, line 2", "1", "2"), ("file r/r.md, line 4", "", "more"), ("file r/r.md, line 5", None, ""),
    ]  # fmt: skip


def test_json_is_told_by_its_path(beside):
    assert beside("t.json", b'{"rows":[{"npv":1.5}]}', b'{"rows":[{"npv":2.5}]}') == [
        ("file r/t.json, rows[0].npv", "1.5", "2.5")
    ]


def test_json_that_is_none_any_more_is_told_by_its_first_byte(beside):
    assert beside("t.json", b"{", b"{}") == [("byte 2 of file r/t.json", "7b", "7b 7d")]


def test_a_manifest_that_is_none_any_more_is_told_as_well(beside):
    assert beside("manifest.json", b"[1]", b"{}") != []


def test_a_row_of_a_csv_that_is_gone_is_named(beside):
    assert beside("t.csv", b"a,b\nx,1\ny,2\n", b"a,b\ny,2\n") == [("file r/t.csv, row x", "x, 1", None)]


def test_another_head_of_a_csv_is_named(beside):
    assert beside("t.csv", b"a,b\nx,1\n", b"a,c\nx,1\n") == [("file r/t.csv, head of column 2", "b", "c")]
