"""A page is cut without a byte lost, and what stands in one place is laid beside what stands there in the other."""

from __future__ import annotations

from hypothesis import given, strategies as st

from cxsim.reporting.verify import cut, page_differences

PIECES = st.sampled_from(
    ["<h1>A</h1>", "<h2>B &amp; C</h2>", "<h3>D</h3>", "<table><td>1</td></table>", "<style>a{}</style>",
     '<figure class="cx-figure" aria-label="F"><table></table></figure>', "<script>1</script>",
     "</table>", "<figure>", "<p>Text.</p>"]
)  # fmt: skip


@given(st.lists(PIECES))
def test_the_slices_of_a_page_are_the_page(pieces):
    page = "".join(pieces)
    assert "".join(one.text for one in cut(page)) == page


@given(st.lists(PIECES), st.lists(PIECES))
def test_two_pages_differ_in_a_place_exactly_when_a_byte_differs(first, second):
    said, made = "".join(first), "".join(second)
    assert bool(page_differences(said, made, {})) == (said != made)


def test_a_deeper_heading_stands_below_a_higher_one_and_ends_with_the_next():
    page = "<h1>A</h1><h2>B</h2><h3>C</h3>x<h2>D</h2>y"
    assert [one.section for one in cut(page) if one.kind == "text"] == [("B", "C"), ("D",)]


def test_a_section_that_was_put_in_is_named_once_and_the_rest_stays_where_it_is():
    old = "<h2>A</h2><p>One.</p><h2>B</h2><p>Two.</p>"
    new = "<h2>A</h2><p>One.</p><h2>New</h2><p>Three.</p><h2>B</h2><p>Two.</p>"
    assert [(place.where, place.said, place.made) for place in page_differences(old, new, {})] == [
        ("top of the page, heading", None, "New"),
        ("section ‘New’", None, "Three."),
    ]  # fmt: skip


def test_a_sentence_that_was_put_in_shifts_no_other_one():
    (place,) = page_differences("<p>One. Two.</p>", "<p>One. More. Two.</p>", {})
    assert place.sentence() == "top of the page: the report lacks it; made again it is ‘More.’."


def test_a_row_that_is_gone_is_named_and_a_cell_of_another_row_still_found():
    old = "<table><tr><td>a</td><td>1</td></tr><tr><td>b</td><td>2</td></tr></table>"
    new = "<table><tr><td>b</td><td>3</td></tr></table>"
    assert [(place.where, place.said, place.made) for place in page_differences(old, new, {})] == [
        ("top of the page, table, row a", "a, 1", None), ("top of the page, table, row b, column 2", "2", "3"),
    ]  # fmt: skip


def test_many_differences_in_one_place_are_counted_after_the_fifth():
    def table(factor):
        rows = "".join(f"<tr><td>r{row}</td><td>{factor * row}</td></tr>" for row in range(1, 9))
        return f"<table><caption>T</caption>{rows}</table>"

    found = page_differences(table(1), table(2), {})
    assert len(found) == 6
    assert found[-1].sentence() == "top of the page, table ‘T’: 3 more differ."


def test_a_chart_whose_specification_is_no_json_any_more_is_sentence_by_its_text():
    def figure(spec):
        return f'<figure aria-label="F"><script type="application/json">{spec}</script></figure>'

    (place,) = page_differences(figure("{"), figure("{}"), {})
    assert (place.where, place.said) == ("top of the page, figure ‘F’, specification", "{")


def test_data_sets_are_compared_row_by_row_although_their_names_are_hashes_of_all_rows():
    def figure(name, cash):
        spec = f'{{"data":{{"name":"{name}"}},"datasets":{{"{name}":[{{"cash":{cash}}}]}}}}'
        return f'<figure aria-label="F"><script type="application/json">{spec}</script></figure>'

    (place,) = page_differences(figure("data-af", 1), figure("data-e0", 2), {})
    assert (place.where, place.said, place.made) == (
        "top of the page, figure ‘F’, datasets.data-1[0].cash", "1", "2",
    )  # fmt: skip


def test_a_long_name_is_cut_in_the_name_of_a_place():
    page = f'<h1>T</h1><h2>A</h2><figure aria-label="{"x" * 99}"></figure>'
    assert cut(page)[-1].where == f"section ‘A’, figure ‘{'x' * 80}…’"
