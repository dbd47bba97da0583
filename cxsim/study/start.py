"""A shop's exports and a few answers in; a project with files of the shop's own, ready for its business case, out."""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple, cast

import polars as pl

from cxsim.data.exports.files import FRAME
from cxsim.data.exports.mappings import SHOP_FILE
from cxsim.data.exports.read_shop import read_shop
from cxsim.data.orders import Transactions, transactions_of
from cxsim.data.shop import TABLES, Shop, complete_periods, policy_changes
from cxsim.errors import DataError, ParamError
from cxsim.library import PROJECT, SOURCES_FILE, at, library
from cxsim.metrics.calibrate import Calibration, behaviour_yaml, calibrate, source_yaml, with_entry
from cxsim.params import Plain, Unit, read, text_of
from cxsim.strategies.behaviour import Behaviour
from cxsim.strategies.strategy import load_strategy
from cxsim.study.answers import ECONOMIC, ECONOMICS, Answer, Question, answered, library_file, questions
from cxsim.study.project import ANSWERS, Project, record_of_answers, require_place, write_project
from cxsim.study.sources import load_shop

# The library's files as which a shop's own begin.
_BEHAVIOUR, _SCENARIO, _NOTEBOOK = "online-shop", "cdnow-programmes", "02-compare-strategies"
_MOST_MONTHS_COUNTED = 12
# A reward takes about so many average orders, as that of the library in the shop that it was written for.
_ORDERS_TO_A_REWARD = 2.8
# The library's amounts fit currencies whose unit is worth about as much.
_LIKE_EUROS = ("EUR", "USD", "GBP", "CHF", "CAD", "AUD", "NZD", "SGD")
_DRAWS, _SEED = 67, 1
_RECORDED = ("answer", "evidence", "answered_on")
# Fewer complete months are too few to tell old customers from new ones.
_FEW_MONTHS = 9


class Seen(NamedTuple):
    """What a shop's exports show."""

    shop: Shop
    orders: Transactions
    place: Path | None  # of the exports; None for a frame or a shop
    reading: Mapping[str, object]  # columns and policy, as given
    months: int  # complete months of orders
    new_per_month: int  # customers with a first order, on average over the last months


def look(
    source: object,
    *,
    columns: Mapping[str, str] | None = None,
    policy: Sequence[str] = (),
    until: date | None = None,
) -> Seen:
    """Read a shop's exports and return what they show; parameters as of `start`."""
    place = Path(source) if isinstance(source, str | os.PathLike) else None
    if place is not None and not place.exists():
        raise ParamError(f"{place}: there is no such folder or file; name the folder with the exports of your shop.")
    changes = policy_changes(policy)
    if isinstance(source, Shop):
        shop = source
    elif place is not None:
        shop = load_shop(str(place), columns=columns, policy=changes, until=until)
    else:
        shop = read_shop(source, columns=columns, policy=changes)
    if (why := shop.missing("orders")) is not None:
        raise DataError(f"{shop.name}: {why} A business case starts from orders: add the export of your shop's orders.")
    orders = transactions_of(shop)
    months = complete_periods(shop.since, shop.until, "month")
    counted = months[-_MOST_MONTHS_COUNTED:]
    begun = orders.table.group_by("customer_id").agg(pl.col("ordered_at").min()).select("ordered_at")
    if counted:
        begun = begun.filter(pl.col("ordered_at") >= counted[0].start, pl.col("ordered_at") < counted[-1].end)
    return Seen(
        shop=shop,
        orders=orders,
        place=place,
        reading={"columns": dict(columns or {}), "policy": list(policy)},
        months=len(months),
        new_per_month=max(1, round(begun.collect().height / max(1, len(counted)))),
    )


def start(
    source: object,
    *,
    project: str | Path | None = None,
    answers: Mapping[str, object] | None = None,
    columns: Mapping[str, str] | None = None,
    policy: Sequence[str] = (),
    until: date | None = None,
    ask: Callable[[Question], str] | None = None,
    today: date | None = None,
) -> Project:
    """Make a project of a shop's exports, in which its business case can be built at once.

    Currency, end of observation, new customers a month, and the points that a reward takes come from the orders; rates
    of service, returns and visits from whatever else is exported; everything else from seven answers, or else from the
    library, as assumed. Files that somebody has edited are kept; where anything is wrong, nothing is written. From then
    on this process works in that project.

    Parameters
    ----------
    source
        Folder or file of exports, which stay where they are; or a shop, or a frame of orders, which are copied into the
        project.
    project
        Folder of the project; by default one beside the exports, with the ending -project.
    answers
        By key: currency (a code), gross_margin (share of the price, 0 to 1), cost_per_order (money),
        annual_discount_rate (share, effective per year), strategies (names), horizon_months (1 to 600), budget (money
        at present value, or "none"). A number may be followed by its range and its grade, as in
        "0.55 0.5 to 0.6 measured".
    columns, policy
        As in `read_shop`; `policy` as texts such as "unreadable=missing".
    until
        Last day of observation; by default that of the newest order.
    ask
        Called for what `answers` leave open; its text is the answer, an empty one the default. By default nothing is
        asked.
    today
        Date of the answers; by default that of the machine.

    Returns
    -------
    Project
        Where it is, what was answered, which files were written, and what to know of it.

    Raises
    ------
    DataError
        For exports that cannot be read, or without orders.
    ParamError
        For an answer that is not possible, a folder that is no place for a project, or files that would not be sound.

    Examples
    --------
    >>> import tempfile
    >>> from cxsim.data import load_cdnow
    >>> orders = load_cdnow(sample=True).table.collect()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     made = start(orders, project=Path(folder) / "music", answers={"currency": "USD", "gross_margin": 0.4})
    >>> made.scenario, made.answers["answer"].to_list()[:2]
    ('music', ['USD', '0.4'])
    """
    changes = [*policy, *kept_currency(answers or {})]
    seen = source if isinstance(source, Seen) else look(source, columns=columns, policy=changes, until=until)
    folder = project_folder(seen.place, project)
    require_place(folder)
    day = (today or date.today()).isoformat()  # noqa: DTZ011 - of the machine, and only recorded
    earlier = record_of_answers(folder).get("answers", {})
    asked = questions(seen.shop, seen.months, earlier)
    found = answered(asked, answers or {}, ask, earlier=earlier, day=day)
    name = _name_of(folder)
    seen = _named(seen, name)
    rows = [(key, one.text, one.evidence, one.answered_on) for key, one in found.items()]
    record: dict[str, Any] = {
        "exports": "orders" if seen.place is None else _from(folder, seen.place),
        **seen.reading,
        "answers": {key: dict(zip(_RECORDED, row, strict=True)) for key, *row in rows},
    }
    files = _files(seen, name, found, folder=folder, orders=record["exports"])
    written, kept = write_project(folder, files, record)
    os.environ[PROJECT] = str(folder)
    return Project(
        folder=folder,
        scenario=name,
        answers=pl.DataFrame(rows, ["question", *_RECORDED], orient="row"),
        costs=_costs(found["strategies"].value),
        written=written,
        kept=kept,
        cautions=(*_cautions(seen, found), *_not_entered(kept)),
    )


def _named(seen: Seen, name: str) -> Seen:
    """Return what exports show of a shop that has the name of its project where they have no other."""
    unnamed = {FRAME} if seen.place is None else {seen.place.stem, seen.place.resolve().stem}
    if seen.shop.name not in unnamed:
        return seen
    return seen._replace(shop=replace(seen.shop, name=name))


def _costs(chosen: Sequence[str]) -> pl.DataFrame:
    """Return what strategies cost, as the files of the project say."""
    rows = [
        (strategy.title, cost.kind, one.value, *one.range, str(one.unit), one.evidence)
        for strategy in map(load_strategy, chosen)
        for cost in strategy.costs
        for one in [cost.amount]
    ]
    return pl.DataFrame(rows, ["strategy", "cost", "amount", "low", "high", "unit", "evidence"], orient="row")


def _not_entered(kept: Sequence[str]) -> list[str]:
    """Return that answers do not reach a file that was edited."""
    files = [name for name in kept if name.startswith(("params/economics", "params/scenarios"))]
    return [f"Answers were not entered in {name}, because you edited it; enter them by hand." for name in files]


def kept_currency(answers: Mapping[str, object]) -> list[str]:
    """Return how exports are read of which orders in one currency are kept."""
    return [f"currency={answers['currency']}"] if "currency" in answers else []


def project_folder(exports: Path | None, given: str | Path | None) -> Path:
    """Return the folder of a project: as given, the one that the exports lie in, or one beside them."""
    if given is not None:
        return Path(given).expanduser().absolute()
    if exports is None:
        raise ParamError("a frame or a shop lies in no folder; name one for the project, such as project='my-shop'.")
    place = exports.resolve()
    made = (one for one in (place, *place.parents) if (one / ANSWERS).is_file() and (one / "params").is_dir())
    above = next(made, None)
    return above or place.with_name(f"{place.stem if place.is_file() else place.name}-project")


def _from(folder: Path, place: Path) -> str:
    """Return the path of exports as a scenario names it: from its project, or whole from another drive."""
    try:
        return Path(os.path.relpath(place.resolve(), folder.resolve())).as_posix()
    except ValueError:
        return str(place.resolve())


def _name_of(folder: Path) -> str:
    """Return the name of a project's scenario, after its folder."""
    plain = re.sub("[^a-z0-9]+", "-", folder.name.lower().removesuffix("-project")).strip("-")[:60].strip("-")
    kinds = ("scenarios", "valuations", "shops")
    taken = {path.stem for kind in kinds for path in (library() / "params" / kind).glob("*.yaml")}
    return f"{plain or 'my'}-shop" if plain in {"", "cdnow", "cdnow-sample", *taken} else plain


def _files(seen: Seen, name: str, found: Mapping[str, Answer], *, folder: Path, orders: str) -> dict[str, str | bytes]:
    """Return the files of a project by their places."""
    calibration = _calibrated(seen.shop, name)
    files: dict[str, str | bytes] = {
        f"params/scenarios/{name}.yaml": _scenario(seen, name, found, orders=orders, measured=calibration is not None),
        f"params/economics/{name}.yaml": _economics(seen, name, found),
        **{f"params/strategies/{one}.yaml": _strategy(one, seen) for one in found["strategies"].value},
        f"notebooks/{name}.ipynb": _notebook(name),
        "README.md": _README.format(name=name, title=seen.shop.name, orders=orders),
    }
    if sources := _sources(folder, name, found, calibration):
        files[f"params/{SOURCES_FILE}"] = sources
    if calibration is not None:
        head = "Rates of service, returns and visits: measured in the exports, where it says measured.\n"
        files[f"params/behaviour/{name}.yaml"] = f"# {head}{behaviour_yaml(calibration.behaviour)}"
    if seen.place is None:
        files |= _tables(seen, str(found["currency"].value))
    return files


def _calibrated(shop: Shop, name: str) -> Calibration | None:
    """Return what a shop's tables say of its behaviour; None where they say nothing of service, returns or visits.

    Of refunds alone nothing more is simulated than orders, whose amounts are then after refunds.
    """
    found = calibrate(shop, like=read(at(f"params/behaviour/{_BEHAVIOUR}.yaml"), Behaviour), name=name)
    said = found.table.drop_nulls("measured")
    if shop.returns is None:
        said = said.filter(~pl.col("number").str.starts_with("returns."))
    return None if said.is_empty() else found


def _commented(head: str, content: Mapping[str, Any], comments: Mapping[str, str]) -> str:
    """Return content as YAML, a comment above each key that has one."""
    lines = [f"# {head}\n"]
    for key, value in content.items():
        lines.append(f"# {comments[key]}\n" if key in comments else "")
        lines.append(text_of({key: value}))
    return "".join(lines)


def _scenario(seen: Seen, name: str, found: Mapping[str, Answer], *, orders: str, measured: bool) -> str:
    bundled = library_file("scenarios", _SCENARIO)
    chosen, currency, budget = found["strategies"].value, found["currency"].value, found["budget"]
    content: dict[str, Any] = {
        "title": f"Which of {len(chosen)} programmes should {seen.shop.name} fund?",
        "description": (
            f"{seen.orders.totals.customers:,} customers of {seen.shop.name} and new ones over the horizon; each "
            "programme compared with a no-programme baseline."
        ),
        "orders": orders,
        **{key: value for key, value in (("columns", seen.reading["columns"]),) if value},
        **({"policy": policy} if (policy := _policy(seen)) else {}),
        "observed_until": seen.orders.until,
        "economics": name,
        **({"behaviour": name} if measured else {}),
        "strategies": chosen,
        "stacking": bundled["stacking"],
    }
    if budget.value is not None:
        content["budget"] = bundled["budget"] | _number_of(budget, bundled["budget"], name, chosen=True)
    content |= {
        "dropout": "all",
        "existing_customers": "all",
        "new_customers": {"per_month": seen.new_per_month, "months": found["horizon_months"].value},
        "horizon_months": found["horizon_months"].value,
        "draws": _DRAWS,
        "seed": _SEED,
    }
    counted = min(seen.months, _MOST_MONTHS_COUNTED) or "incomplete"
    comments = {
        "orders": "The exports, from the folder of this project.",
        "strategies": "Files under params/strategies; `cxsim levers` lists what else there is.",
        "budget": f"In {currency}, answered on {budget.answered_on}.",
        "new_customers": f"First orders a month, on average over the last {counted} months.",
        "draws": "Of parameters and random numbers, per dropout model; more make simulation errors smaller.",
    }
    return _commented(f"Business case of {seen.shop.name}. Build it with: cxsim report {name}", content, comments)


def _policy(seen: Seen) -> dict[str, object]:
    changes = policy_changes(cast("list[str]", seen.reading["policy"]))
    return {key: list(value) if isinstance(value, tuple) else value for key, value in changes.items()}


def _economics(seen: Seen, name: str, found: Mapping[str, Answer]) -> str:
    content = library_file("economics", ECONOMICS)
    content |= {"title": seen.shop.name, "currency": found["currency"].value}
    for key in ("owner", "reviewed_on"):
        content.pop(key)
    comments = {key: "Assumed; replace it by your own." for key, value in content.items() if isinstance(value, dict)}
    for key, (number, _) in ECONOMIC.items():
        before, answer = content[number], found[key]
        chosen = number == "annual_discount_rate"
        content[number] = before | _number_of(answer, before, name, chosen=chosen)
        if answer.evidence == "measured" or answer.value != before["value"]:
            comments[number] = f"Answered on {answer.answered_on}."
    return _commented(f"What an order of {seen.shop.name} earns and costs, and how it decides.", content, comments)


def _number_of(answer: Answer, before: Mapping[str, Any], name: str, *, chosen: bool) -> dict[str, Any]:
    """Return value, range and evidence of an answer; without a range, as wide as before, but a choice has none."""
    value, unit = float(answer.value), Unit(before["unit"])
    if answer.range is not None:
        span = answer.range
    elif chosen or answer.evidence == "measured":
        span = (value, value)
    else:
        shift = unit.on_scale(value) - unit.on_scale(before["value"])
        low, high = (float(f"{unit.from_scale(unit.on_scale(end) + shift):.3g}") for end in before["range"])
        span = (min(low, value), max(high, value))
    grade = {"evidence": "measured", "source": f"{name}-accounts"}
    return {"value": value, "range": list(span), **(grade if answer.evidence == "measured" else {})}


def _sources(folder: Path, name: str, found: Mapping[str, Answer], calibration: Calibration | None) -> str:
    """Return the project's sources: those that it has, and those that the new files cite."""
    file = folder / "params" / SOURCES_FILE
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    measured = [key for key, one in found.items() if one.evidence == "measured"]
    if measured:
        day = max(found[key].answered_on for key in measured)
        source = f"{name}-accounts"
        entry: dict[str, Plain] = {
            "authors": name,
            "year": int(day[:4]),
            "title": f"Answers to cxsim start, {day}",
            "where": "The shop's own accounts",
            "measured": f"As answered: {', '.join(measured)}.",
            "grade": "D",
        }
        text = with_entry(text, source, text_of({source: entry}))
    return text if calibration is None else with_entry(text, calibration.source_name, source_yaml(calibration))


def _strategy(name: str, seen: Seen) -> str:
    """Return a strategy of the library as the project's own; points are set for the orders of the shop."""
    content = library_file("strategies", name)
    comments = {"costs": "The library's; replace them by offers that you have."}
    for effect in content["effects"]:
        if effect["kind"] == "points":
            mean = seen.orders.totals.revenue / seen.orders.totals.orders
            points = float(f"{_ORDERS_TO_A_REWARD * mean * effect['earn']['value']:.2g}")
            reward = float(f"{effect['reward']['value'] * points / effect['threshold']['value']:.2g}")
            effect["threshold"] |= {"value": points, "range": [points, points]}
            effect["reward"] |= {"value": reward, "range": [reward, reward]}
            comments["effects"] = f"A reward takes about {_ORDERS_TO_A_REWARD:g} orders of {mean:.2f} on average."
    return _commented("Copied from the library; this copy counts in this project.", content, comments)


def _notebook(name: str) -> str:
    """Return the notebook of the business case, for the project's own scenario, without outputs, and with sliders."""
    content = json.loads(at(f"notebooks/{_NOTEBOOK}.ipynb").read_text(encoding="utf-8"))
    for cell in content["cells"]:
        if cell["cell_type"] == "code":
            cell |= {"outputs": [], "execution_count": None}
        if "parameters" in cell["metadata"].get("tags", []):
            cell["source"] = f'scenario = "{name}"\nchanges = ""'
    content["cells"] += [
        {"cell_type": "markdown", "id": "try", "metadata": {}, "source": "## Try other numbers"},
        {"cell_type": "code", "id": "explore", "metadata": {}, "source": "cxsim.explore(case)"}
        | {"outputs": [], "execution_count": None},
    ]
    return json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _tables(seen: Seen, currency: str) -> dict[str, str | bytes]:
    """Return the tables of a shop that lies in no folder as files, with what its tables do not say."""
    files: dict[str, str | bytes] = {}
    for name in TABLES:
        if (rows := getattr(seen.shop, name)) is not None:
            rows.collect(engine="streaming").write_parquet(buffer := io.BytesIO())
            files[f"orders/{name}.parquet"] = buffer.getvalue()
    last = (seen.shop.until - timedelta(microseconds=1)).date()
    said: dict[str, Any] = {"title": seen.shop.name, "currency": currency, "until": last, "opening": seen.shop.opening}
    return {**files, f"orders/{SHOP_FILE}": text_of(said)}


def _cautions(seen: Seen, found: Mapping[str, Answer]) -> tuple[str, ...]:
    """Return what to know of a project before its report is used."""
    currency = found["currency"].value
    said = []
    if found["currency"].evidence == "assumed":
        said.append(f"The exports name no currency; {currency} is assumed. Answer currency=CODE if it is another.")
    if currency not in _LIKE_EUROS:
        said.append(f"The library's costs are amounts as usual in EUR; set those of each strategy in {currency}.")
    if found["gross_margin"].evidence == "assumed":
        said.append("The gross margin is assumed; no other number of your own changes a business case as much.")
    if seen.months < _FEW_MONTHS:
        said.append(f"{seen.months} complete months of orders are few: customers of before may pass for new ones.")
    return tuple(said)


_README = """# {title}

Orders: `{orders}`. Own numbers, strategies and sources: `params/`. What was answered: `answers.yaml`.

```
cxsim report {name}     # the business case, reports/{name}.html
cxsim check             # after edits under params/
cxsim lab               # notebooks/{name}.ipynb, to explore
cxsim where faster-delivery
```

Run these in this folder. A file here goes before one of the same name in cxsim's library.
"""
