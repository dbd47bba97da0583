"""A known log of orders, written down as systems and people do: every way of reading it gives the same customers.

As many logs as CXSIM_DECORATIONS says are tried, by default a few; `make fuzz` tries hundreds.
"""

# ruff: noqa: S311 - chance decides what is tried

from __future__ import annotations

import csv
import io
import os
import random
import re
import zipfile
from datetime import UTC, date

import pandas as pd
import polars as pl
import xlsxwriter

from cxsim.data.exports.read_shop import read_shop, read_transactions
from cxsim.data.orders import transactions_of
from cxsim.data.rfm import summarise
from cxsim.errors import CxsimError
from cxsim.study.sources import load_shop
from tests.data.samples import COLUMNS, order_log

TRIED = int(os.environ.get("CXSIM_DECORATIONS", "20"))
LEAST_READ = 0.8
WAY_OUT = re.compile(r"--|policy|shop\.yaml|\b(?:[Ee]xport|[Ss]ave|[Ww]rite|[Rr]ename|[Cc]orrect)\b")

MONTHS = {
    "Mar 5, 2022": "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
    "5-Mar-22": "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
    "5. März 2022": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "5 mars 2022": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "5 de marzo de 2022": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "5 mrt. 2022": "jan. feb. mrt. apr. mei jun. jul. aug. sep. okt. nov. dec.",
    "5 maj 2022": "januari februari mars april maj juni juli augusti september oktober november december",
}
NAMED = ("{m} {d.day}, {d.year}", "{d.day}-{m}-{d:%y}", "{d.day}. {m} {d.year}", "{d.day} {m} {d.year}")
NAMED += ("{d.day} de {m} de {d.year}", "{d.day} {m} {d.year} {d:%H:%M}", "{d.day} {m} {d.year}")
DAYS = {
    **{f"%{one}": None for one in ("Y-%m-%d", "Y-%m-%d %H:%M", "Y-%m-%dT%H:%M:%S", "Y-%m-%dT%H:%M:%S+01:00", "Y%m%d")},
    **{f"%d{mark}%m{mark}%Y": None for mark in "/.-"},
    **{f"%m{mark}%d{mark}%Y": None for mark in "/-"},
    **dict.fromkeys(("%d/%m/%Y %H:%M", "%m/%d/%Y %I:%M %p", "%d/%m/%y", "%m/%d/%y %H:%M", "%d.%m.%y")),
    **dict(zip(MONTHS, zip(NAMED, MONTHS.values(), strict=True), strict=True)),
    "epoch": None,
}
# Mark before the decimals, mark of thousands.
MARKS = ((".", ""), (".", ","), (",", ""), (",", "."), (",", " "), (".", "'"), (",", "\u00a0"), (".", " "))
SIGNS = (("", ""), ("", ""), ("€", ""), ("", " €"), ("EUR ", ""), ("$", ""), ("", " kr"), ("", " zł"), ("£", ""))
BELOW = ("-{0}{1}{2}", "({0}{1}{2})", "{0}{1}{2}-", "\u2212{0}{1}{2}", "{0}-{1}{2}")
STATUSES = {
    "en": ("Completed", "Cancelled"),
    "de": ("Abgeschlossen", "Storniert"),
    "fr": ("Terminée", "Annulée"),
    "es": ("Completado", "Cancelado"),
    "it": ("Completato", "Annullato"),
    "nl": ("Afgerond", "Geannuleerd"),
    "sv": ("Slutförd", "Avbruten"),
    "pl": ("Zrealizowane", "Anulowane"),
    "a shop's own": ("Ausgetrunken", "Verschüttet"),
}
# A cell of words may hold all that stands between cells elsewhere.
WORDS = 'Lamp "Eva", oak; tall, 2 m | new, in a box, with bulb'
NOBODY = ("nan", "NULL", "None", "guest", "Gast", "invité", "N/A", "")
BEFORE = ("", "", "", "\ufeff", "sep={}\n", "# Orders\n# -----\n", "My shop\n\n")
WOO = ("Order Number", "Order Status", "Order Date", "Email (Billing)", "Name", "Quantity", "Order Line Total")
WOO += ("Order Subtotal Amount", "Cart Discount Amount", "Order Shipping Amount", "Order Total Amount")
SHOPIFY = (*COLUMNS[: COLUMNS.index("Billing Name")], "Cancelled at", "Refunded Amount", "Outstanding Balance", "Id")
LAYOUTS = {
    "plain": ("customer_id", "ordered_at", "amount"),
    "named": ("Kunde", "Datum", "Betrag", "Filiale"),
    "mapped": ("Nr", "Kunde", "Datum", "Zeit", "Betrag", "Stand"),
    "prices": ("Beleg", "Artikel", "Kunde", "Datum", "Menge", "Preis"),
    "markdowns": ("Beleg", "Artikel", "Kunde", "Datum", "Menge", "Preis", "Rabatt"),
    "amounts": ("Beleg", "Artikel", "Kunde", "Datum", "Betrag"),
    "totals": ("order_id", "sku", "customer_id", "ordered_at", "amount"),
    "woo": WOO,
    "shopify": SHOPIFY,
}
ASKED = {
    "named": {"customer_id": "Kunde", "ordered_at": "Datum", "amount": "Betrag"},
    "prices": {
        "customer_id": "Kunde",
        "ordered_at": "Datum",
        "order_id": "Beleg",
        "units": "Menge",
        "line_price": "Preis",
    },
}
MAPPED = {
    "mapped": "{order_id: Nr, customer_id: Kunde, ordered_at: Datum, time_of_day: Zeit, amount: Betrag, status: Stand}",
    "markdowns": "{order_id: Beleg, customer_id: Kunde, ordered_at: Datum, units: Menge, line_price: Preis, "
    "line_markdown: Rabatt}",
    "amounts": "{order_id: Beleg, customer_id: Kunde, ordered_at: Datum, line_amount: Betrag, product: Artikel}",
}


class Decorated:
    """A log in files: what was put on it, its customers as they are, where the files lie, and ways of reading them."""

    def __init__(self, seed, folder):
        self.pick = pick = random.Random(seed)
        self.folder = folder
        log = order_log(seed, people=pick.randint(40, 120), orders=pick.choice((1, 5, 30, 100, 200, 400)))
        scale, step = pick.choice(((1, 1), (40, 1), (1, 1), (40, 1), (100, 100)))
        self.log = [one | {"cents": one["cents"] * scale // step * step} for one in log]
        self.layout = pick.choice(list(LAYOUTS))
        platform = self.layout in ("woo", "shopify")
        self.day = pick.choice(list(DAYS)) if not platform else pick.choice(list(DAYS)[:-1])
        self.marks, self.signs, self.below = pick.choice(MARKS), pick.choice(SIGNS), pick.choice(BELOW)
        self.digits = 0 if step == 100 and pick.random() < 0.5 else 2
        self.least = 10 ** (2 - self.digits)
        self.language = pick.choice(list(STATUSES))
        self.file = pick.choice(("csv", "csv", "folder", "zip", "xlsx", "typed xlsx"))
        if self.file == "typed xlsx" and not platform:
            self.day, self.marks, self.signs, self.below = "%Y-%m-%d", (".", ""), ("", ""), BELOW[0]
        if self.layout in ASKED and self.file == "folder":
            self.file = "zip"
        if self.layout in MAPPED and self.file == "zip":
            self.file = "csv"
        self.columns = ASKED.get(self.layout)
        days = [one["ordered_at"] for one in self.log]
        frame = pl.DataFrame(self.log).with_columns(amount=pl.col("cents") / 100)
        self.truth = summarise(frame.select("customer_id", "ordered_at", "amount")).rows()
        self.totals = (
            len({one["customer_id"] for one in self.log}),
            len(days),
            sum(o["cents"] for o in self.log) / 100,
        )
        self.rows = self._rows([*self.log, *self._more(min(days), max(days))])
        self.path = self._written()

    @property
    def what(self):
        return (self.layout, self.day, self.marks, self.signs, self.below, self.digits, self.language, self.file)

    def _more(self, begin, end):
        """Orders that change nothing: of nobody, cancelled, and such as were taken back, with what took them back."""
        pick, chosen = self.pick, self.pick.sample(self.log, k=1 + len(self.log) // 20)
        for number, one in enumerate(chosen):
            at = (begin + (end - begin) * pick.random()).replace(second=0, microsecond=0)
            new = one | {
                "order_id": f"{7001 + number}",
                "ordered_at": max(at, begin),
                "cents": pick.randint(100, 120) * 10_000,
            }
            if self.layout == "totals":
                continue
            if pick.random() < 0.4:
                yield new | {"customer_id": ""}
            if self.layout in ("mapped", "woo", "shopify") and pick.random() < 0.6:
                yield new | {"order_id": f"{8001 + number}", "cancelled": True}
            if self.layout == "shopify":
                yield new | {"order_id": f"{9001 + number}", "refunded": True}
            elif self.layout != "woo":
                yield new | {"order_id": f"{9001 + number}"}
                yield new | {"order_id": f"{9501 + number}", "cents": -new["cents"]}

    def _rows(self, orders):
        """The cells of the orders, by the names of their columns; all lines of an order after each other."""
        orders = orders.copy()
        if self.pick.random() < 0.5:
            self.pick.shuffle(orders)
        nobody = self.pick.choice(NOBODY)
        return [
            row
            for one in orders
            for row in getattr(self, f"_{self.layout}")(one | {"customer_id": one["customer_id"] or nobody})
        ]

    def _plain(self, one):
        return [
            {"customer_id": one["customer_id"], "ordered_at": self._moment(one), "amount": self._money(one["cents"])}
        ]

    def _named(self, one):
        ours = self._plain(one)[0]
        return [{theirs: ours[name] for name, theirs in self.columns.items()} | {"Filiale": WORDS}]

    def _mapped(self, one):
        apart = DAYS[self.day] is None and "%H" not in self.day and "I" not in self.day and self.day != "epoch"
        time = f"{one['ordered_at']:%H:%M}" if apart else ""
        money = self._money(one["cents"])
        return [self._row(one["order_id"], one["customer_id"], self._moment(one), time, money, self._status(one))]

    def _prices(self, one):
        sign, cents, units = (1 if one["cents"] >= 0 else -1), abs(one["cents"]), self.pick.randint(2, 4)
        price = cents // 2 // units // self.least * self.least
        # A line may cost 1.00 more for each piece, and have as much taken off.
        more = 100 if self.layout == "markdowns" else 0
        return [
            self._row(one["order_id"], f"{WORDS} {n}", one["customer_id"], self._moment(one), str(sign * many), *money)
            for n, (many, each) in enumerate(((units, price), (1, cents - units * price)))
            for money in [[self._money(each + more), self._money(sign * many * more)][: 1 + (more > 0)]]
        ]

    _markdowns = _prices

    def _amounts(self, one):
        first = one["cents"] // 3 // self.least * self.least
        head = (one["customer_id"], self._moment(one))
        parts = enumerate((first, one["cents"] - first))
        return [self._row(one["order_id"], f"S{n}", *head, self._money(part)) for n, part in parts]

    def _totals(self, one):
        lines = 1 + int(one["order_id"]) % 3
        return [{"order_id": one["order_id"], "sku": f"S{n}"} | self._plain(one)[0] for n in range(lines)]

    def _woo(self, one):
        total, nothing = self._money(one["cents"]), self._money(0)
        head = (one["order_id"], self._status(one), self._moment(one), self._email(one))
        return [self._row(*head, f"{WORDS} {n}", "1", nothing, total, nothing, nothing, total) for n in range(2)]

    def _row(self, *cells):
        return dict(zip(LAYOUTS[self.layout], cells, strict=True))

    def _status(self, one):
        return STATUSES[self.language]["cancelled" in one]

    def _shopify(self, one):
        total, nothing, when = self._money(one["cents"]), self._money(0), self._moment(one)
        head = {"Name": f"#{one['order_id']}", "Email": self._email(one), "Created at": when}
        whole = {
            "Financial Status": "voided" if "cancelled" in one else "refunded" if "refunded" in one else "paid",
            "Paid at": when,
            "Currency": "EUR",
            "Subtotal": total,
            "Total": total,
            "Id": f"51000{one['order_id']}",
            **dict.fromkeys(("Shipping", "Taxes", "Discount Amount", "Outstanding Balance"), nothing),
            "Refunded Amount": total if "refunded" in one else nothing,
        }
        lines = [{"Lineitem quantity": "1", "Lineitem name": name} for name in ("Tea", WORDS)]
        return [head | whole | lines[0] | {"Lineitem price": total}, head | lines[1] | {"Lineitem price": nothing}]

    @staticmethod
    def _email(one):
        return f"{one['customer_id']}@shop.example" if one["customer_id"][1:].isdigit() else ""

    def _moment(self, one):
        day = one["ordered_at"]
        if self.day == "epoch":
            return str(int(day.replace(tzinfo=UTC).timestamp()))
        if DAYS[self.day]:
            shape, names = DAYS[self.day]
            return shape.format(d=day, m=names.split()[day.month - 1])
        return day.strftime(self.day)

    def _money(self, cents):
        (decimal, apart), (before, behind) = self.marks, self.signs
        text = f"{abs(cents) / 100:,.{self.digits}f}".translate(str.maketrans({",": apart, ".": decimal}))
        return (self.below if cents < 0 else "{0}{1}{2}").format(before, text, behind)

    def _written(self):
        names = LAYOUTS[self.layout]
        table = [[row.get(name, "") for name in names] for row in self.rows]
        mark, before = self.pick.choice(",,;\t|"), self.pick.choice(BEFORE)
        footer = []
        if self.layout in ("plain", "named", "mapped", "totals") and self.pick.random() < 0.3:
            row = dict.fromkeys(names, "") | {"amount": self._money(123_456_78), "Betrag": self._money(123_456_78)}
            footer = [[{**row, names[0]: "Total"}[name] for name in names]]
        # Names in capitals and between blanks are the same names, where nobody has named them.
        shown = [f" {name.upper()} " for name in names] if not self.columns and self.pick.random() < 0.2 else names
        quoted = self.pick.choice((csv.QUOTE_MINIMAL, csv.QUOTE_ALL))
        stem, parts = "orders", [table]
        if self.file in ("folder", "zip") and self.layout in ("plain", "mapped", "woo", "shopify"):
            ends = [n for n in range(1, len(table)) if self.rows[n].get(names[0]) != self.rows[n - 1].get(names[0])]
            cut = self.pick.choice(ends) if ends else len(table)
            parts = [part for part in (table[:cut], table[cut:]) if part]
        if self.file.endswith("xlsx"):
            files = {
                f"{stem}.xlsx": self._workbook([*self.pick.choice(([], [["My shop"], []])), shown, *table, *footer])
            }
        else:
            files = {}
            for number, part in enumerate(parts, 1):
                text = io.StringIO()
                text.write(before.format(mark))
                ends = self.pick.choice(("\n", "\r\n"))
                writer = csv.writer(text, delimiter=mark, lineterminator=ends, quoting=quoted)
                writer.writerows([shown, *part, *footer])
                files[f"{stem}{number}.csv"] = text.getvalue().encode()
        if self.file == "zip":
            with zipfile.ZipFile(self.folder / "orders.zip", "w") as archive:
                for name, content in files.items():
                    archive.writestr(name, content)
            return self.folder / "orders.zip"
        for name, content in files.items():
            (self.folder / name).write_bytes(content)
        if self.layout in MAPPED:
            tables = "".join(
                f"  - table: orders\n    file: {name}\n    rows: {'orders' if self.layout == 'mapped' else 'lines'}\n"
                f"    columns: {MAPPED[self.layout]}\n"
                for name in files
            )
            (self.folder / "shop.yaml").write_text(f"title: Mine\ncurrency: EUR\ntables:\n{tables}", encoding="utf-8")
        return self.folder if self.layout in MAPPED or self.file == "folder" else self.folder / next(iter(files))

    def _workbook(self, rows):
        content = io.BytesIO()
        with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
            sheet, days = book.add_worksheet("Orders"), book.add_format({"num_format": "dd.mm.yyyy"})
            for place, cells in enumerate(rows):
                for column, cell in enumerate(cells):
                    if self.file == "typed xlsx" and re.fullmatch(r"-?\d+\.\d\d", cell):
                        sheet.write_number(place, column, float(cell))
                    elif self.file == "typed xlsx" and re.fullmatch(r"\d{4}-\d\d-\d\d", cell):
                        sheet.write_datetime(place, column, date.fromisoformat(cell), days)
                    else:
                        sheet.write_string(place, column, cell)
        return content.getvalue()

    def ways(self):
        """Ways of reading it, by name: of its files by two, and of its rows as a frame."""
        path, columns = self.path, self.columns
        ways = [
            ("orders of files", lambda: read_transactions(path, columns=columns)),
            ("orders of a shop", lambda: read_transactions(read_shop(path, columns=columns))),
            ("by name", lambda: transactions_of(load_shop(str(path), columns=columns))),
        ]
        del ways[self.pick.randint(1, 2)]
        if self.layout not in MAPPED:
            names = list(LAYOUTS[self.layout])
            cells = [[row.get(name, "") for name in names] for row in self.rows]
            polars = self.pick.random() < 0.5
            frame = pl.DataFrame(cells, names, orient="row") if polars else pd.DataFrame(cells, columns=names)
            ways.append(("a frame", lambda: read_transactions(frame, columns=columns)))
        return dict(ways)


def read(way, truth, totals):
    """What a way of reading gives: "" for the truth, else what is wrong; None for a refusal that says the way out."""
    try:
        orders = way()
    except CxsimError as refusal:
        return None if WAY_OUT.search(str(refusal)) else f"no way out: {refusal}"
    known = [(row[0].partition("@")[0], *row[1:]) for row in summarise(orders).rows()]
    found = (orders.totals.customers, orders.totals.orders, round(orders.totals.revenue, 2))
    if known == truth and found == totals:
        return ""
    return f"{found}, not {totals}; {[pair for pair in zip(known, truth, strict=False) if pair[0] != pair[1]][:2]}"


def test_however_a_log_is_written_down_every_way_of_reading_gives_its_customers_or_refuses(tmp_path):
    wrong, refused, different = {}, {}, {}
    for seed in range(TRIED):
        folder = tmp_path / f"shop{seed}"
        folder.mkdir()
        made = Decorated(seed, folder)
        found = {name: read(way, made.truth, made.totals) for name, way in made.ways().items()}
        wrong |= {(seed, made.what, name): one for name, one in found.items() if one}
        files = {one for name, one in found.items() if name != "a frame"}
        if len(files) > 1:
            different[seed] = found
        if None in files:
            refused[seed] = made.what
    assert not wrong, "\n".join(f"{key}: {one}" for key, one in wrong.items())
    assert not different
    assert len(refused) <= (1 - LEAST_READ) * TRIED, refused
