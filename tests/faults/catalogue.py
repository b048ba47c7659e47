"""The faults of docs/faults.md in our own words: a line each, with our verdict.

``E`` is refused, ``D`` is defined behaviour, ``W`` goes on and says so in the result. For ``D`` and ``W``
what a person gets stands after the colon; for ``E`` the page shows the message itself, as a test saw it.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CHOICES", "DIFFERENT", "FAULTS", "SECTIONS", "Fault"]


@dataclass(frozen=True)
class Fault:
    """A fault: its id, the section of the page, the verdict, what goes in, and what a person gets."""

    id: str
    section: str
    verdict: str
    given: str
    got: str = ""


_LINES = """
# Prices
F001 E a list, an array or None where a table of prices is wanted
F002 E a table without rows
F003 E a table without columns
F004 E a single row
F005 E a range of numbers as index
F006 E dates that are still text
F007 E text dates of which day and month can be exchanged
F008 E dates out of order
F009 E the newest date first
F010 E a date twice with the same prices
F011 E a date twice with other prices
F012 E two prints a day
F013 E a row without a date
F014 E two columns of one name
F015 E names that differ only by case or by spaces
F016 E names that are numbers, tuples or levels
F017 E prices that are text, such as '1,234.50'
F018 E a column of booleans
F019 E a column of dates or of complex numbers
F020 D decimals, nullable and Arrow numbers : converted to the nearest float; every mark for missing is
  missing
F021 D prices in single precision : converted, and noted that they resolve to 1e-7
F022 E whole numbers that no float holds exactly
F023 E a price of zero
F024 E a negative price
F025 E an infinite price
F026 E a number in a file that is beyond the largest float
F027 E a price of next to nothing, such as 1e-310
F028 E a price so large that products overflow
F029 D prices that begin late : waits, or follows unlisted='pro_rata' or 'cash'; the date of the listing is
  in the record
F030 E a hole in a history
F031 E prices that end without a stated recovery
F032 E a column without a single price
F033 E a date without a single price
F034 W a price that does not move for ten days or more : a note names asset, dates and rows
F035 W a move of half and more that turns back the next day : a note names asset and date, and calls it a
  probable bad tick
F036 W a jump by exactly 2, 3, 1/2 or 1/10 : a note names asset and date, and calls it a probable split
F037 W a last row of today : a note says that the close may not be final
F038 W weekends in a table of weekdays : a note names the first
F039 E daily rows that become monthly
F040 W a long gap for all assets at once : a note names both dates
F041 W a rule that asks on no date of the run : built once and held, and the footer says so
F042 E a frequency that contradicts the dates, or dates that fit none
F043 E dates with a time zone beside dates without
F044 E dates of two time zones
F045 E midnights in UTC that are evenings where the exchange is
F046 E times of day
F047 D dates before 1677 or after 2262 : kept in units that hold them, else refused
F048 E a year mistyped, so that a gap of many years opens
F049 E assets whose calendars differ
F050 E returns given as prices
F051 W yields or rates in percent given as prices : a note names the asset
F052 W total-return and price-return series in one table : a note, where their kinds are stated
F053 E two currencies in one table, where they are stated
F054 D read-only or strided arrays : as any other; the caller's data are left as they were
F055 D a table that is changed after it was handed over : a copy is taken at the door
F056 E a table with more cells than the limit
# Weights
F057 D weights that sum to 0.97 : the rest is cash and earns the cash return; a note states the sum
F058 W weights that sum to 1.2 : borrowed at cash and a spread, itemised, stated in a note; max_leverage=
  scales down
F059 D weights that sum to one but for rounding : taken as given, neither scaled nor noted
F060 E weights in percent
F061 E a weight that is NaN
F062 E a weight that is infinite
F063 E a negative weight where shorts are not allowed
F064 E a weight for an asset that is not there
F065 D an asset that no decision gives a weight : zero throughout, and a note names it
F066 E an asset twice in one answer
F067 E an answer without any weight
F068 E a table of weights that begins before the prices
F069 D weights dated between two rows : act on the next row, never the one before; a note counts them
F070 W weights dated after the last row : a note counts what is never traded
F071 E dates of weights out of order or twice
F072 E a weight for an asset that was delisted
F073 E a weight for an asset that is not listed yet
F074 E an answer that is no mapping, or whose weights are no numbers
F075 E a strategy that answers nothing, or raises
F076 D a strategy that writes into what it is shown : what it is shown is read-only, and its copies are its
  own
F077 E a strategy that reads rows to come
F078 W a strategy that answers differently when asked twice : audit_causality asks twice and in other
  orders, and reports it
F079 E an optimiser without a solution, or with an inaccurate one
F080 D a solver's -1e-9 : zero; below that it is refused
F081 E a covariance that is singular or indefinite
F082 E an asset without variance in a portfolio of equal risk
F083 E a window longer than the history
F084 E risk budgets that do not sum to one, or with a zero
# Engine
F085 E an unknown rule
F086 E 'M', 'ME', 'month' and other spellings of a rule
F087 D a month that ends on a holiday : its last row trades, and the record holds the dates
F088 D a last row in the middle of a month : never taken for a month end, and never trades
F089 E a negative lag
F090 E a lag that is no whole number
F091 E a lag longer than the market
F092 E a cost in percent
F093 E a negative cost
F094 E a cost that is no number
F095 E costs by asset that miss one
F096 E a trade that costs all there is
F097 E a fixed cost above the value
F098 E an annual rate of cash where a return a row is wanted, or percent
F099 E cash returns on other dates than prices
F100 D a negative rate of cash : earned as it is
F101 D a borrow spread without debt : costs nothing, to the bit
F102 D a value that leverage brings to nothing : the record ends on that date at 0; the footer says so
F103 D leverage that drifts above its limit : recorded in a note; traded only under LeverageAbove
F104 E a band of no width, or of 100 % and more
F105 E an initial value of zero, below, or infinite
F106 E a start or an end outside the market
F107 E a start after the end
F108 D a start that is no row : the next row, and a note says so
F109 E a split as an event
F110 E a dividend as an event
F111 E a delisting of what does not end, or never began
F112 E a recovery that is no fraction
F113 D all assets delisted : cash from then on
F114 D a single asset : as any number of them
F115 D a market of 10,000 assets and 10,000 rows : runs in stated memory, or is refused by its cells before
  it is allocated
F116 D a run that is interrupted : leaves nothing behind, and the next has the same result
F117 D two runs at once : the same bytes as one after the other
# Statistics
F118 E no returns
F119 D one return : NaN where one says nothing, and a warning with the reason
F120 D returns that never change : NaN with a reason, judged relative to rounding
F121 D returns that are all zero : volatility and drawdown 0, Sharpe ratio NaN with a reason
F122 E a return below -1
F123 D a return of exactly -1 : wealth 0, drawdown and CAGR -100 %
F124 E an infinite return
F125 E a missing return
F126 W returns in percent : refused below -1; else a warning where days typically move by more than 20 %
F127 E prices where returns are wanted
F128 E returns out of order
F129 E a benchmark on other dates
F130 D a benchmark that never moves : NaN with a reason
F131 E an annual rate as the cash of a period
F132 E cash on other dates than returns
F133 E 252 periods a year for months
F134 W numbers of less than a year, annualised : the footer of a comparison says so
F135 D a drawdown that is not recovered : no date of recovery; its length counts to the last row
F136 D two drawdowns of one depth : the earlier
F137 E a level of 5 where 0.05 is meant
F138 W value at risk of fewer periods than 1/level : the footer of a comparison says so
F139 D skewness and kurtosis of fewer than four returns : NaN with a reason
F140 D a series tested against itself : difference 0, p = 1, a reason, and no warning of 0/0
F141 W tests of fewer than 20 returns : a warning with n
F142 D a bootstrap without a seed : one is drawn and told, so that the result can be had again
F143 E blocks longer than the sample allows
F144 E more lags than rows
F145 D an estimated variance that is none : NaN and a reason
F146 W many tests at once : their number and the p-values adjusted for it are in the table
# Regimes and macro
F147 E labels on other dates than returns
F148 E a figure used before it was published
F149 W a threshold taken from the whole sample : marked as ex post; quantiles of the past only are the other
  choice
F150 D a regime of fewer than 12 periods : counted, not estimated, never dropped
F151 E a single regime where two are compared
F152 D a period without a label : a group of its own, 'unclassified', and counted
F153 D a figure equal to the threshold : belongs to 'or more'
F154 D a window in which a series never moves : NaN
F155 D a correlation of exactly one : an interval of no width, and the reason
F156 E a window longer than the series
F157 W returns that overlap : lags up to the overlap are forced, and said
F158 E a break test with no trimming, or with half
F159 E a break test with too few rows a side
F160 W a Markov model that does not converge : status and starts in the record; states ordered by their
  variance
F161 E smoothed probabilities as a signal
F162 E yields in percent
F163 E parts that do not add up
F164 E real and nominal yields of different maturities
F165 E growth or interest of -100 %
F166 E a debt ratio in percent
F167 D debt that explodes : stops at a cap and names the year
F168 E a gap in yearly data
# Files, cache, reports, command line
F169 E a path that is missing, a directory, or not readable
F170 E a name that leads out of the folder it belongs to
F171 E a symbolic link that leads out of its folder
F172 E a device or a pipe where a file is wanted
F173 E an empty file, or one with nothing but a header
F174 E a file beyond the limit of size
F175 E an archive that unpacks to too much
F176 D other encodings than UTF-8 : a byte order mark is accepted; what is not UTF-8 is refused with its place
F177 E NUL bytes in text
F178 E semicolons and decimal commas
F179 E separators of thousands
F180 D marks for missing values : a stated list; an asset called NA or TRUE stays an asset
F181 E rows of unequal length
F182 E a line break within quotes, or a quote that is not closed
F183 E a Parquet file cut short, or of another kind
F184 E Parquet columns of extension types or objects
F185 E pickles and objects in NumPy files
F186 E JSON with NaN, repeated keys, great depth or another schema
F187 D JSON numbers of any length : what is written comes back exactly
F188 E YAML, or an unknown key in a configuration
F189 E an expression in a configuration
F190 D markup as the name of an asset : escaped in every page, and nothing is loaded from elsewhere
F191 D a formula as the name of an asset : neutralised in CSV; numbers stay numbers
F192 D a name that no file may have : cleaned and hashed where it names a file (cache, baselines);
  no other file is called after a name
F193 D escapes and line breaks in names : shown as repr shows them, on one line
F194 D a cache entry that is damaged : its checksum fails, it is fetched again, and a warning says so
F195 D a cache entry of an older version : not found
F196 D two inputs that look alike : every part of the input is in the key
F197 D two writers at once : the last wins, and both are whole
F198 D a reader while somebody writes : sees the old or the new, never half
F199 E a full disk or a folder that cannot be written
F200 D a process that is killed while it writes : what was there stays; what it left is cleared
F201 E an output that is already there
F202 D another clock, locale or time zone : the same bytes
F203 D another hash seed or number of threads : the same bytes; solvers to 1e-12
F204 D no display : pictures are drawn without one, and no window opens
"""


def _faults() -> tuple[Fault, ...]:
    """Return the faults of the lines above, in their order."""
    faults, section = [], ""
    for line in _LINES.replace("\n  ", " ").strip().splitlines():
        if line.startswith("# "):
            section = line[2:]
            continue
        identity, verdict, rest = line.split(" ", 2)
        given, _, got = rest.partition(" : ")
        faults.append(Fault(identity, section, verdict, given, got))
    return tuple(faults)


FAULTS = _faults()
SECTIONS = tuple(dict.fromkeys(fault.section for fault in FAULTS))

# Which of the messages that the tests of a fault met is shown, where the first is not the telling one.
CHOICES = {
    "F006": r"^prices",
    "F013": r"^prices",
    "F014": r"^prices|the header",
    "F017": r"^prices",
    "F018": r"^prices",
    "F026": r"^data.*1e4?00",
    "F027": r"1e-310",
    "F033": r"whole row|^prices on|no price at all on",
    "F022": r"^prices",
    "F023": r" is 0\.0",
    "F030": r"^prices.*hole",
    "F036": r"unadjusted split",
    "F041": r"built once",
    "F042": r"contradict",
    "F043": r"and .*zone|^cash",
    "F058": r"borrowed",
    "F062": r"inf",
    "F067": r"all cash",
    "F053": r"several in one market",
    "F070": r"never traded",
    "F077": r"IndexError",
    "F081": r"negative variance",
    "F082": r"not vary",
    "F083": r"too early",
    "F084": r"sums? to|positive",
    "F090": r"1\.5",
    "F096": r"first build costs more",
    "F109": r"splits",
    "F110": r"dividends",
    "F112": r"recovery of \d",
    "F122": r"below -1",
    "F124": r"infinite",
    "F125": r"NaN",
    "F126": r"typically move",
    "F131": r"a typical return",
    "F133": r"contradict",
    "F144": r"lag",
    "F137": r"level: 5 ",
    "F143": r"third|half",
    "F169": r"^data.*opened|no such file",
    "F173": r"^data.*is empty",
    "F179": r"1,234",
    "F181": r"where the header has",
    "F189": r"0\.\d\*|\*",
    "F161": r"smoothed",
    "F171": r"outside",
    "F174": r"^data",
    "F175": r"unpack",
    "F177": r"NUL",
}

# Verdicts that differ from the usual one, which comes first, or are given elsewhere, and why.
DIFFERENT = {
    "F041": (
        "E",
        "the numbers are right: a yearly rule over three months is buy-and-hold, and the footer says that "
        "it is",
    ),
    "F058": (
        "E",
        "leverage is what is studied here, so that it needs no flag; it is never free (cash is required, "
        "and a spread is charged on top) and never silent (itemised interest, a note with the sum); "
        "`max_leverage=` is the limit, and a sum beyond 10 is refused as percent",
    ),
    "F078": (
        "W",
        "not in every run, which would double its time: `audit_causality` and its fixture ask twice",
    ),
    "F092": (
        "W",
        "a cost above 5 % has always been percent or basis points mistaken; no flag allows it",
    ),
    "F098": (
        "W",
        "cash that earns 1 % a day exists in no market, and no result with it is worth a note",
    ),
    "F109": (
        "E",
        "there are no events: prices are total returns, so that a split cannot be on a wrong date; Python "
        "refuses the argument, and the documentation of `Market` says where splits go",
    ),
    "F110": (
        "E",
        "as F109: dividends are in total-return prices, or missing from them, and no date of theirs is "
        "asked for",
    ),
    "F131": (
        "W",
        "no bill has earned it, and a ratio of returns over such cash is a plausible wrong number",
    ),
}
