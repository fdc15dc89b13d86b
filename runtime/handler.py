"""The entry point of Lambda: `runtime.handler.handler`.

Importing this module opens the model, which checks itself: Lambda does that once, before the first request, and
a model that must not serve stops the start with one line (ModelRefused). For another model, build
`runtime.dispatch.Handler` instead.
"""

# ruff: noqa: E402  (collection is off before anything is loaded)
import gc

# Objects made at start-up live on, so looking for garbage meanwhile finds none: a sixteenth of the start's time.
gc.disable()

# isort: split
from runtime.dispatch import Handler
from runtime.settings import Settings

_settings = Settings()
handler = Handler(_settings)
if _settings.initialization == "snap-start":
    from runtime.snap_start import register

    register(handler)
# Nor need a later collection look at what the start has made, in this process or in its snapshots.
gc.freeze()
gc.enable()
