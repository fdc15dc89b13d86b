"""The 24 raw columns that the reference system reads, and the group among them."""

from collections.abc import Mapping
from types import MappingProxyType

from table.settings import Feature

REFERENCE_FEATURES = (
    Feature("max_paid_inv_0_24m", "number", log1p=True, description="largest paid invoice, last 24 months"),
    Feature("avg_payment_span_0_12m", "number", description="mean days from invoice to payment, last 12 months"),
    Feature("sum_capital_paid_account_0_12m", "number", log1p=True, description="capital paid, last 12 months"),
    Feature("time_hours", "number", description="hour of day of the purchase, 0 to 24"),
    Feature("recovery_debt", "number", description="debt in recovery"),
    Feature("sum_capital_paid_account_12_24m", "number", description="capital paid, 12 to 24 months ago"),
    Feature("num_active_div_by_paid_inv_0_12m", "number", description="unpaid per paid invoice, last 12 months"),
    Feature("sum_paid_inv_0_12m", "number", description="sum of paid invoices, last 12 months"),
    Feature("account_days_in_rem_12_24m", "number", description="days in reminder, 12 to 24 months ago"),
    Feature("num_arch_ok_0_12m", "number", description="invoices archived as paid, last 12 months"),
    Feature("account_amount_added_12_24m", "number", description="amount added, 12 to 24 months ago"),
    Feature("has_paid", "boolean", description="has paid before"),
    Feature("account_status", "number", description="status of the account, 1 (good) to 4"),
    Feature("account_worst_status_0_3m", "number", description="worst status, last 3 months"),
    Feature("account_worst_status_3_6m", "number", description="worst status, 3 to 6 months ago"),
    Feature("account_worst_status_6_12m", "number", description="worst status, 6 to 12 months ago"),
    Feature("account_worst_status_12_24m", "number", description="worst status, 12 to 24 months ago"),
    Feature("status_last_archived_0_24m", "number", description="status of the last archived purchase"),
    Feature("status_2nd_last_archived_0_24m", "number", description="status of the last archived but one"),
    Feature("status_3rd_last_archived_0_24m", "number", description="status of the last archived but two"),
    Feature("status_max_archived_0_6_months", "number", description="worst archived status, last 6 months"),
    Feature("status_max_archived_0_12_months", "number", description="worst archived status, last 12 months"),
    Feature("status_max_archived_0_24_months", "number", description="worst archived status, last 24 months"),
    Feature("merchant_group", "category", description="what the shop sells"),
)
REFERENCE_ROW_MAX: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "account_worst_status_max_0_24m": (
            "account_worst_status_0_3m",
            "account_worst_status_3_6m",
            "account_worst_status_6_12m",
            "account_worst_status_12_24m",
        )
    }
)
