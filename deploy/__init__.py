"""From a package to a running stage, and back: deploy, rollback, smoke test.

    stages.toml ┐
    lambda.zip  ┴ deploy.deploy ─▶ change set ─▶ stack ─▶ smoke test ─▶ alias `previous`
                  deploy.rollback ─▶ alias `live` ─▶ smoke test

Imports what it needs of `runtime`, `training` and `export`; nothing imports this.
"""
