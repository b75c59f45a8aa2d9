"""Fine-tuning: model and adapter, the LightningModule, the schedule, the checkpoint callback, fit."""
