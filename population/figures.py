"""The published figures of the instalment-credit population, as data.

They describe 89,976 labelled applications (88,688 repaid, 1,288 defaulted) and, where a table says so, the
99,976 applications of which those are the labelled ones. No applicant is in here, only statistics.

Amounts are in the currency's unit, spans and remission in days, `time_hours` in hours of the day (0 to 24).
Status level 0 stands for "nothing there": no archived invoice, or no credit account (a missing status).
"""

from collections.abc import Mapping
from dataclasses import dataclass

REPAID_APPLICATIONS = 88_688
DEFAULTED_APPLICATIONS = 1_288
LABELLED_APPLICATIONS = REPAID_APPLICATIONS + DEFAULTED_APPLICATIONS
ALL_APPLICATIONS = 99_976
DEFAULT_RATE = DEFAULTED_APPLICATIONS / LABELLED_APPLICATIONS


@dataclass(frozen=True)
class Numbers:
    """One number column in one class.

    count, mean, std, quartiles (25, 50, 75 %), maximum: of the non-missing, "Numeric columns by class".
    zeros: share of zeros among the non-missing. Published over both classes only; split here so that both
    classes' quartiles and the published whole agree.
    least: where the positive values begin; not published, chosen.
    tail: quantiles above 75 %. For those who repaid, the published ones over both classes, 98.6 % of whom
    repaid. For the defaulted they are not published, and stand where the published mean and standard
    deviation come out. 0.8 and 0.9999, where given, are placed so in both classes.
    """

    count: int
    mean: float
    std: float
    quartiles: tuple[float, float, float]
    maximum: float
    zeros: float
    least: float
    tail: Mapping[float, float]


@dataclass(frozen=True)
class Column:
    """One number column: both classes."""

    repaid: Numbers
    defaulted: Numbers
    integer: bool = True


# Table "Numeric columns by class"; tails of the repaid from "Quantiles over both classes".
NUMBERS: Mapping[str, Column] = {
    "account_amount_added_12_24m": Column(
        Numbers(
            88_688, 12251.3, 35522, (0, 0, 4854.25), 1_128_780, 0.717, 50,
            {0.9: 39201, 0.95: 70729.6, 0.99: 160621, 0.999: 359543},
        ),
        Numbers(
            1_288, 13988.6, 31138.8, (0, 0, 13324.5), 446_757, 0.63, 50,
            {0.9: 51000, 0.95: 77000, 0.99: 115000},
        ),
    ),
    "account_days_in_rem_12_24m": Column(
        Numbers(
            78_096, 4.83064, 22.4222, (0, 0, 0), 365, 0.9005, 1,
            {0.95: 29, 0.99: 120, 0.999: 235.462},
        ),
        Numbers(
            1_197, 20.9407, 43.1123, (0, 0, 20), 259, 0.70, 3,
            {0.9: 85, 0.95: 127, 0.99: 203},
        ),
    ),
    "avg_payment_span_0_12m": Column(
        Numbers(
            67_838, 17.7268, 12.1678, (10.7556, 14.8333, 21), 224, 0.005, 0.5,
            {0.01: 1.531, 0.05: 5.33333, 0.1: 7.16667, 0.9: 32, 0.95: 41, 0.99: 63.553, 0.999: 117.279},
        ),
        Numbers(
            670, 43.4087, 33.4908, (18.5417, 37, 57), 260, 0.005, 0.5,
            {0.9: 88, 0.95: 114, 0.99: 155},
        ),
        integer=False,
    ),
    "max_paid_inv_0_24m": Column(
        Numbers(
            88_688, 11324.2, 15327.8, (3430, 7651.5, 13895), 279_000, 0.171, 300,
            {0.9: 23181, 0.95: 33466.2, 0.99: 66702.1, 0.999: 142000, 0.9999: 230_000},
        ),
        Numbers(
            1_288, 5740.92, 7352.61, (0, 3880, 8795), 96_200, 0.30, 300,
            {0.9: 14400, 0.95: 19000, 0.99: 26000},
        ),
    ),
    "num_active_div_by_paid_inv_0_12m": Column(
        Numbers(
            68_603, 0.110547, 0.273332, (0, 0, 0.1), 6, 0.636, 0.01,
            {0.9: 0.333333, 0.95: 0.572619, 0.99: 1, 0.999: 3},
        ),
        Numbers(
            715, 0.510002, 1.01819, (0, 0.142857, 0.666667), 9, 0.42, 0.03,
            {0.9: 1.1, 0.95: 2.3, 0.99: 5.5},
        ),
        integer=False,
    ),
    "num_arch_ok_0_12m": Column(
        Numbers(
            88_688, 7.38001, 16.1688, (0, 2, 7), 261, 0.265, 0.6,
            {0.9: 17, 0.95: 30, 0.99: 79, 0.999: 158.008},
        ),
        Numbers(
            1_288, 1.07686, 3.19982, (0, 0, 1), 39, 0.62, 0.6,
            {0.9: 2.4, 0.95: 4.2, 0.99: 17},
        ),
    ),
    "recovery_debt": Column(
        Numbers(88_688, 3.14023, 98.5199, (0, 0, 0), 11_190, 0.998, 50, {0.999: 1275.2}),
        Numbers(1_288, 66.3028, 1133.37, (0, 0, 0), 36_479, 0.988, 100, {0.995: 2800}),
    ),
    "sum_capital_paid_account_0_12m": Column(
        Numbers(
            88_688, 10827, 26566.5, (0, 0, 8962.25), 571_475, 0.66, 50,
            {0.9: 35732.9, 0.95: 56990.8, 0.99: 118649, 0.999: 230490},
        ),
        Numbers(
            1_288, 11291.4, 20913.3, (0, 177, 14680.5), 145_930, 0.49, 100,
            {0.9: 39500, 0.95: 59000, 0.99: 89000},
        ),
    ),
    "sum_capital_paid_account_12_24m": Column(
        Numbers(
            88_688, 6571.06, 19230.8, (0, 0, 46.25), 341_859, 0.749, 40,
            {0.8: 6700, 0.9: 21548.3, 0.95: 37133.6, 0.99: 88259.2, 0.999: 160841},
        ),
        Numbers(
            1_288, 7185.3, 16357.9, (0, 0, 6276), 148_784, 0.66, 40,
            {0.9: 26000, 0.95: 44500, 0.99: 73000},
        ),
    ),
    "sum_paid_inv_0_12m": Column(
        Numbers(
            88_688, 39596.8, 89942.8, (2780, 16285.5, 44395), 2_962_870, 0.213, 300,
            {0.9: 93100.3, 0.95: 150520, 0.99: 331621, 0.999: 754168, 0.9999: 1_900_000},
        ),
        Numbers(
            1_288, 12817, 24168, (0, 4167.5, 14630.5), 195_037, 0.41, 300,
            {0.9: 33000, 0.95: 64000, 0.99: 123000},
        ),
    ),
}  # fmt: skip

# time_hours as points (share of the class before, hour). Those who repaid: the quantiles over both classes
# and the class's quartiles, with two hours of the night (2.67 and 5.33) placed so that the published default
# rates by band and the published rate over the day agree. The defaulted: those band rates, applied to the
# hours of those who repaid, and the class's quartiles.
HOURS_OF_REPAID: tuple[tuple[float, float], ...] = (
    (0, 0.000278), (0.01, 0.8427), (0.02, 2.67), (0.028, 5.33), (0.05, 7.39956), (0.1, 8.73222),
    (0.25, 11.6364), (0.5, 15.8057), (0.75, 19.5492), (0.9, 21.4815), (0.95, 22.2478), (0.99, 23.4983),
    (0.999, 23.9589), (1, 23.9997),
)  # fmt: skip
HOURS_OF_DEFAULTED: tuple[tuple[float, float], ...] = (
    (0, 0.005556), (0.043, 2.667), (0.0605, 5.333), (0.1083, 8), (0.227, 10.667), (0.25, 11.0883),
    (0.375, 13.333), (0.5, 15.3657), (0.5377, 16), (0.6996, 18.667), (0.75, 19.4635), (0.8712, 21.333),
    (1, 23.9414),
)  # fmt: skip
# Default rate in nine equal bands of the day, table "time_hours band default rate".
HOUR_BAND_RATES = (
    0.030371, 0.030513, 0.015401, 0.013369, 0.013963, 0.014469, 0.013043, 0.012481, 0.016523,
)  # fmt: skip


@dataclass(frozen=True)
class Level:
    """One level of a column: its applications, and the default rate among the labelled ones of them.

    A rate of None is not published; it is what the other levels leave over of all defaults.
    """

    applications: int
    default_rate: float | None


# Table "Categories", counts in all 99,976 applications. Level 0 is a missing status.
ACCOUNT_STATUSES: Mapping[str, Mapping[int, Level]] = {
    "account_status": {
        0: Level(54_373, 0.009237), 1: Level(43_693, 0.016978), 2: Level(1_900, 0.096621),
        3: Level(7, 0.285714), 4: Level(3, 1.0),
    },
    "account_worst_status_0_3m": {
        0: Level(54_373, 0.009237), 1: Level(38_375, 0.011760), 2: Level(6_678, 0.058120),
        3: Level(443, 0.143216), 4: Level(107, 0.234694),
    },
    "account_worst_status_3_6m": {
        0: Level(57_702, 0.010975), 1: Level(35_254, 0.011196), 2: Level(6_357, 0.048092),
        3: Level(513, 0.098253), 4: Level(150, 0.315789),
    },
    "account_worst_status_6_12m": {
        0: Level(60_350, None), 1: Level(30_703, 0.009598), 2: Level(8_025, 0.035778),
        3: Level(688, 0.125604), 4: Level(210, 0.279793),
    },
    "account_worst_status_12_24m": {
        0: Level(66_761, None), 1: Level(23_527, 0.007757), 2: Level(8_433, 0.032849),
        3: Level(993, 0.088398), 4: Level(262, 0.193133),
    },
}  # fmt: skip

# The maximum of the four worst statuses. Its counts are not published: they follow from its mean (1.440013),
# its standard deviation (0.635231), its rates and the 45,603 applications that have an account.
ACCOUNT_WORST_STATUS: Mapping[int, Level] = {
    0: Level(54_373, 0.009237), 1: Level(28_593, 0.008897), 2: Level(14_480, 0.025964),
    3: Level(2_003, 0.091359), 4: Level(527, 0.219616),
}  # fmt: skip

# Table "Categories", counts in all 99,976 applications. Level 0 is no archived invoice in that window.
ARCHIVE_STATUSES: Mapping[str, Mapping[int, Level]] = {
    "status_last_archived_0_24m": {
        0: Level(18_739, 0.029194), 1: Level(71_779, 0.005852), 2: Level(7_859, 0.028494),
        3: Level(1_597, 0.149409), 5: Level(2, 0.5),
    },
    "status_2nd_last_archived_0_24m": {
        0: Level(27_990, 0.027340), 1: Level(62_740, 0.005153), 2: Level(7_752, 0.020149),
        3: Level(1_491, 0.125280), 5: Level(3, 0.0),
    },
    "status_3rd_last_archived_0_24m": {
        0: Level(34_907, 0.025983), 1: Level(57_008, 0.004262), 2: Level(6_787, 0.022847),
        3: Level(1_270, 0.099912), 5: Level(4, 0.333),
    },
    "status_max_archived_0_6_months": {
        0: Level(36_121, 0.026305), 1: Level(49_416, 0.004336), 2: Level(12_694, 0.011941),
        3: Level(1_745, 0.066200), 5: Level(0, 0.0),
    },
    "status_max_archived_0_12_months": {
        0: Level(24_066, 0.028745), 1: Level(50_943, 0.005079), 2: Level(20_666, 0.008565),
        3: Level(4_291, 0.070244), 5: Level(10, 0.25),
    },
    "status_max_archived_0_24_months": {
        0: Level(18_739, 0.029194), 1: Level(47_064, 0.005100), 2: Level(27_038, 0.007322),
        3: Level(7_114, 0.062227), 5: Level(21, 0.117647),
    },
    "has_paid": {0: Level(14_880, 0.023422), 1: Level(85_096, 0.012720)},
}  # fmt: skip

# Table "Categories", labelled applications.
MERCHANT_GROUPS: Mapping[str, Level] = {
    "Automotive Products": Level(848, 0.020047),
    "Children Products": Level(4_614, 0.012570),
    "Clothing & Shoes": Level(15_033, 0.022683),
    "Electronics": Level(2_704, 0.023299),
    "Entertainment": Level(43_940, 0.007419),
    "Erotic Materials": Level(670, 0.038806),
    "Food & Beverage": Level(330, 0.090909),
    "Health & Beauty": Level(6_589, 0.015784),
    "Home & Garden": Level(3_350, 0.018507),
    "Intangible products": Level(1_017, 0.063913),
    "Jewelry & Accessories": Level(946, 0.017970),
    "Leisure, Sport & Hobby": Level(9_935, 0.018017),
}
