"""Writes the golden tables of the standard library's tests into stdlib/tests/golden.

    python -m venv venv && venv/bin/pip install TA-Lib pandas-ta-classic pandas scipy
    venv/bin/python tests/golden/stdlib/generate.py

The series are made here, by a fixed generator; the figures come from the libraries named in each
table. Python's `repr` prints every double exactly, so nothing is lost on the way.
"""

import decimal
import pathlib

import numpy as np
import pandas as pd
import pandas_ta_classic as pta
import scipy
import scipy.stats
import talib

HERE = pathlib.Path(__file__).resolve()
OUT = HERE.parents[3] / "stdlib" / "tests" / "golden"

TALIB = f"TA-Lib {talib.__version__} (C library {talib.__ta_version__.decode().split()[0]})"
PANDAS = f"pandas {pd.__version__}"
PANDAS_TA = f"pandas-ta-classic {pta.version}"
PYTHON = "Python's decimal module"


class Random:
    """Park and Miller's minimal generator: the same everywhere, in three lines."""

    def __init__(self, seed):
        self.state = seed

    def below(self, n):
        self.state = self.state * 16807 % 2147483647
        return self.state % n


def bars(count, seed, flat):
    """Bars in cents around 100, with a stretch (`flat`) where nothing moves."""
    random = Random(seed)
    rows = []
    close = 10000
    for index in range(count):
        if index in flat:
            rows.append((close, close, close, close, 100))
            continue
        opened = close
        close = max(opened + random.below(161) - 80, 100)
        high = max(opened, close) + random.below(40)
        low = min(opened, close) - random.below(40)
        rows.append((opened, high, low, close, 1 + random.below(5000)))
    table = np.array(rows, dtype=float)
    table[:, :4] /= 100
    return rows, table.T


def number(value):
    return repr(float(value)) if value != int(value) else str(int(value))


def column(values, step=9):
    """The first index with a value (1-based), and every `step`-th value from there and the last."""
    values = np.asarray(values, dtype=float)
    first = int(np.argmax(~np.isnan(values)))
    picked = sorted({*range(first, len(values), step), len(values) - 1})
    pairs = ", ".join(f"[{i + 1}] = {number(values[i])}" for i in picked)
    return f"{{ first = {first + 1}, values = {{ {pairs} }} }}"


def indicators(rows, data):
    o, h, l, c, v = data
    series = pd.Series(c)
    up, mid, low = talib.BBANDS(c, 20, 2, 2)
    macd, signal, histogram = talib.MACD(c, 12, 26, 9)
    macd_b, signal_b, histogram_b = talib.MACD(c, 3, 10, 16)
    k, d = talib.STOCH(h, l, c, 5, 3, 0, 3, 0)
    k_b, d_b = talib.STOCH(h, l, c, 14, 1, 0, 5, 0)
    time = np.arange(len(c), dtype=float)
    adx = talib.ADX(h, l, c, 14)
    kelt_mid, kelt_range = talib.EMA(c, 20), talib.ATR(h, l, c, 10)
    stamps = pd.date_range("2025-01-01", periods=len(c), freq="15min")
    frame = [pd.Series(x, index=stamps) for x in (h, l, c, v)]
    paid = (c * v).cumsum()
    yield TALIB, {
        "ema_10": talib.EMA(c, 10),
        "ema_2": talib.EMA(c, 2),
        "sma_10": talib.SMA(c, 10),
        "wma_10": talib.WMA(c, 10),
        "rsi_14": talib.RSI(c, 14),
        "rsi_2": talib.RSI(c, 2),
        "macd_12_26_9": macd,
        "macd_signal_12_26_9": signal,
        "macd_histogram_12_26_9": histogram,
        "macd_3_10_16": macd_b,
        "macd_signal_3_10_16": signal_b,
        "macd_histogram_3_10_16": histogram_b,
        "atr_14": talib.ATR(h, l, c, 14),
        "atr_1": talib.ATR(h, l, c, 1),
        "bollinger_upper_20": up,
        "bollinger_middle_20": mid,
        "bollinger_lower_20": low,
        "donchian_upper_20": talib.MAX(h, 20),
        "donchian_lower_20": talib.MIN(l, 20),
        "stochastic_k_5_3_3": k,
        "stochastic_d_5_3_3": d,
        "stochastic_k_14_1_5": k_b,
        "stochastic_d_14_1_5": d_b,
        "adx_14": adx,
        "adx_plus_14": np.where(np.isnan(adx), np.nan, talib.PLUS_DI(h, l, c, 14)),
        "adx_minus_14": np.where(np.isnan(adx), np.nan, talib.MINUS_DI(h, l, c, 14)),
        "adx_3": talib.ADX(h, l, c, 3),
        "cci_14": talib.CCI(h, l, c, 14),
        "cci_40": talib.CCI(h, l, c, 40),
        "obv": talib.OBV(c, v),
        "max_20": talib.MAX(c, 20),
        "min_20": talib.MIN(c, 20),
        "std_10": talib.STDDEV(c, 10, 1),
        "linreg_14": talib.LINEARREG(c, 14),
        "linreg_slope_14": talib.LINEARREG_SLOPE(c, 14),
        "linreg_intercept_14": talib.LINEARREG_INTERCEPT(c, 14),
        "linreg_r2_14": talib.CORREL(time, c, 14) ** 2,
    }
    yield f"{TALIB}, EMA and ATR", {
        "keltner_upper_20_2_10": kelt_mid + 2 * kelt_range,
        "keltner_middle_20_2_10": kelt_mid,
        "keltner_lower_20_2_10": kelt_mid - 2 * kelt_range,
    }
    yield PANDAS_TA, {
        "rma_10": pta.rma(series, 10, talib=False),
        "zscore_10_sample": pta.zscore(series, 10, ddof=1, talib=False),
        "vwap_day": pta.vwap(*frame, anchor="D"),
    }
    yield PANDAS, {
        "ema_first_10": series.ewm(span=10, adjust=False).mean(),
        "rma_first_10": series.ewm(alpha=0.1, adjust=False).mean(),
        "zscore_10": (series - series.rolling(10).mean()) / series.rolling(10).std(ddof=0),
        "std_10_sample": series.rolling(10).std(),
        "median_9": series.rolling(9).median(),
        "median_20": series.rolling(20).median(),
        "vwap_20": (series * v).rolling(20).sum() / pd.Series(v).rolling(20).sum(),
        "vwap_all": paid / v.cumsum(),
    }


def write_indicators(name, flat, skip):
    rows, data = bars(260, 20250101 + len(flat), flat)
    lines = [
        "-- Figures for `ta`, written by tests/golden/stdlib/generate.py. Bars are open, high,",
        "-- low, close (in cents), volume; columns give the bar of the first value and some values.",
        "return {",
        "\tbars = {",
    ]
    lines += [f"\t\t{{ {', '.join(map(str, row))} }}," for row in rows]
    lines += ["\t},", "\tcolumns = {"]
    for source, columns in indicators(rows, data):
        lines.append(f"\t\t-- {source}")
        lines += [f"\t\t{key} = {column(v)}," for key, v in columns.items() if key not in skip]
    lines += ["\t},", "}", ""]
    (OUT / f"{name}.luau").write_text("\n".join(lines))


# TA-Lib and pandas keep running sums of squares, which a stretch without movement leaves with
# rounding where zero stands (CORREL, CCI, STDDEV, z-scores); those are left out of that series.
NOISY = {
    "cci_14", "cci_40", "std_10", "std_10_sample", "zscore_10", "zscore_10_sample", "linreg_r2_14",
    "bollinger_upper_20", "bollinger_lower_20",
}


def numeral(random):
    """A decimal literal of any size and sign, often with zeros or nines at its ends."""
    length = 1 + random.below(12 if random.below(3) else 60)
    digits = "".join(str(random.below(10)) for _ in range(length))
    digits = {0: digits + "0" * random.below(9), 1: "9" * length, 2: "1" + "0" * length}.get(
        random.below(6), digits
    )
    point = random.below(len(digits) + 1)
    text = f"{digits[:point]}.{digits[point:]}" if random.below(4) else digits
    return ("-" if random.below(3) == 0 else "") + text.rstrip(".")


def plain(value):
    """Python's decimal in full, without an exponent, trailing zeros or a negative zero."""
    text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def write_decimals():
    decimal.getcontext().prec = 600
    random = Random(77)
    edges = ["0", "-0.0", "1", "-1", "0.1", "9999999", "10000000", "99999999999999", "1e-28"]
    pairs = [(a, b) for a in edges for b in edges]
    pairs += [(numeral(random), numeral(random)) for _ in range(220)]
    # Quotients that end exactly on a half, where half-even shows; and divisors whose first guess
    # of a digit is too high (Knuth's rare case).
    pairs += [(str(n), "2" + "0" * 28) for n in (1, 3, 5, 7, -1, -3)]
    pairs += [(f"49999999999999{n}", "50000000000000") for n in range(10)]
    pairs += [("99999980000000" + "0" * 7, "9999999" + "0000001"), ("1" + "0" * 40, "9999999" * 3)]
    lines = [
        f"-- Figures for `decimal`, from {PYTHON} at 600 digits: a, b, a + b, a - b, a * b,",
        "-- a / b to 28 places half-even, a < b. Written by tests/golden/stdlib/generate.py.",
        "return {",
    ]
    for left, right in pairs:
        a, b = decimal.Decimal(left), decimal.Decimal(right)
        ratio = "" if b == 0 else plain((a / b).quantize(decimal.Decimal("1e-28")))
        results = [plain(a + b), plain(a - b), plain(a * b), ratio]
        cells = ", ".join(f'"{x}"' for x in [left, right, *results, str(a < b).lower()])
        lines.append(f"\t{{ {cells} }},")
    lines += ["}", ""]
    (OUT / "decimal_pairs.luau").write_text("\n".join(lines))


def write_snaps():
    random = Random(78)
    steps = ["1", "0.01", "0.05", "0.00000001", "2.5", "1000", "0.3"]
    rows = [(numeral(random), steps[index % len(steps)]) for index in range(90)]
    rows += [(value, "0.01") for value in ("0.015", "0.025", "-0.015", "0.01", "-0.01", "0", "1e9")]
    lines = [
        f"-- Figures for `decimal`, from {PYTHON}: a, step, floor and ceil to the step, places,",
        "-- a rounded half-even to the places. Written by tests/golden/stdlib/generate.py.",
        "return {",
    ]
    for index, (text, step) in enumerate(rows):
        a, unit, places = decimal.Decimal(text), decimal.Decimal(step), index % 9
        low = (a / unit).to_integral_value(decimal.ROUND_FLOOR) * unit
        high = (a / unit).to_integral_value(decimal.ROUND_CEILING) * unit
        near = a.quantize(decimal.Decimal(1).scaleb(-places), decimal.ROUND_HALF_EVEN)
        cells = f'"{text}", "{step}", "{plain(low)}", "{plain(high)}", "{places}", "{plain(near)}"'
        lines.append(f"\t{{ {cells} }},")
    lines += ["}", ""]
    (OUT / "decimal_snaps.luau").write_text("\n".join(lines))


def write_statistics():
    random = Random(79)
    x = np.array([random.below(20001) - 10000 for _ in range(400)], dtype=float) / 1e6
    y = 0.4 * x + np.array([random.below(20001) - 10000 for _ in range(400)], dtype=float) / 1e6
    equity = 1000 * np.cumprod(1 + x)
    peaks = np.maximum.accumulate(equity)
    free = 1.05 ** (1 / 252) - 1
    figures = {
        "mean": np.mean(x),
        "variance": np.var(x, ddof=1),
        "variance_population": np.var(x),
        "skew": scipy.stats.skew(x),
        "kurtosis": scipy.stats.kurtosis(x),
        "covariance": np.cov(x, y)[0, 1],
        "correlation": scipy.stats.pearsonr(x, y).statistic,
        "beta": scipy.stats.linregress(x, y).slope,
        "quantile_10_of_last_50": np.quantile(x[-50:], 0.1),
        "quantile_95_of_last_50": np.quantile(x[-50:], 0.95),
        "sharpe_365": np.mean(x) / np.std(x, ddof=1) * np.sqrt(365),
        "sharpe_252_risk_free_5": np.mean(x - free) / np.std(x - free, ddof=1) * np.sqrt(252),
        "drawdown_worst": np.max((peaks - equity) / peaks),
        "drawdown_depth": np.max(peaks - equity),
    }
    counts = np.histogram(x, bins=7, range=(-0.008, 0.008))[0]
    lines = [
        f"-- Figures for `stats`, from numpy {np.__version__} and scipy {scipy.__version__};",
        "-- written by tests/golden/stdlib/generate.py.",
        "return {",
        f"\tx = {{ {', '.join(map(number, x))} }},",
        f"\ty = {{ {', '.join(map(number, y))} }},",
        f"\tequity = {{ {', '.join(map(number, equity))} }},",
        f"\thistogram = {{ {', '.join(map(str, counts))} }},",
    ]
    lines += [f"\t{key} = {number(value)}," for key, value in figures.items()]
    (OUT / "statistics.luau").write_text("\n".join([*lines, "}", ""]))


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    write_indicators("ta_moving", range(0), set())
    write_indicators("ta_still", range(120, 170), NOISY)
    write_decimals()
    write_snaps()
    write_statistics()


main()
