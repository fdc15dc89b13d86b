"""The steps of `export.package`: wheels → pruned folder → bytecode → checks → zip."""
