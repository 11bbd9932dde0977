//! One small port over the databases a component can have.
