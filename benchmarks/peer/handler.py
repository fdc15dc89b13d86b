"""A Lambda as it is usually written, without needless slowness.

The endpoint is a coroutine (FastAPI would run a plain function in another thread), and no start-up events are
waited for. It is deployed beside `pipeline.joblib`, and answers with the fields of the reference system.
"""

import math
from pathlib import Path

import joblib
import pandas as pd
from fastapi import FastAPI
from mangum import Mangum
from pydantic import BaseModel


class Applicant(BaseModel):
    """The features as the fitted pipeline names them; every one may be missing."""

    uuid: str
    max_paid_inv_0_24m: float | None = None
    avg_payment_span_0_12m: float | None = None
    sum_capital_paid_account_0_12m: float | None = None
    time_hours: float | None = None
    recovery_debt: float | None = None
    sum_capital_paid_account_12_24m: float | None = None
    num_active_div_by_paid_inv_0_12m: float | None = None
    sum_paid_inv_0_12m: float | None = None
    account_days_in_rem_12_24m: float | None = None
    num_arch_ok_0_12m: float | None = None
    account_amount_added_12_24m: float | None = None
    has_paid: bool | None = None
    account_status: float | None = None
    account_worst_status_0_3m: float | None = None
    account_worst_status_3_6m: float | None = None
    account_worst_status_6_12m: float | None = None
    account_worst_status_12_24m: float | None = None
    status_last_archived_0_24m: float | None = None
    status_2nd_last_archived_0_24m: float | None = None
    status_3rd_last_archived_0_24m: float | None = None
    status_max_archived_0_6_months: float | None = None
    status_max_archived_0_12_months: float | None = None
    status_max_archived_0_24_months: float | None = None
    merchant_group: str | None = None


class Answer(BaseModel):
    """Probability of default, 0 to 1, and points on the scale of the reference system."""

    uuid: str
    default_probability: float
    credit_score: float


app = FastAPI()
pipeline = joblib.load(Path(__file__).with_name("pipeline.joblib"))


@app.post("/predict")
async def predict(applicant: Applicant) -> Answer:
    """One applicant, as a DataFrame of one row."""
    frame = pd.DataFrame([applicant.model_dump(exclude={"uuid"})])
    probability = float(pipeline.predict_proba(frame)[0, 1])
    p = min(max(probability, 1e-8), 1 - 1e-8)
    score = 600 + 20 / math.log(2) * math.log((1 - p) / p / 50)
    return Answer(uuid=applicant.uuid, default_probability=probability, credit_score=score)


handler = Mangum(app, lifespan="off")
