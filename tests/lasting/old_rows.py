"""A row of every table as an earlier version had it, made from what the models of then say of their fields."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.fields import NOT_PROVIDED
from django.utils import timezone


class Maker:
    """Each model once, and before it whatever it cannot do without."""

    def __init__(self) -> None:
        self.made: dict[type[models.Model], models.Model] = {}
        self._number = 0

    def all_of(self, found: Iterable[type[models.Model]]) -> None:
        for model in found:
            self.of(model)

    def of(self, model: type[models.Model]) -> models.Model:
        if model not in self.made:
            there = model._base_manager.first()
            self.made[model] = there or self._new(model)
        return self.made[model]

    def _new(self, model: type[models.Model]) -> models.Model:
        values = {}
        for field in model._meta.concrete_fields:
            if isinstance(field, models.AutoField) or field.null or field.default is not NOT_PROVIDED:
                continue
            values[field.name] = self._value(field)
        return model._base_manager.create(**values)

    def _value(self, field: models.Field[Any, Any]) -> Any:
        self._number += 1
        if field.choices:
            return field.flatchoices[0][0]
        if isinstance(field, models.ForeignKey):
            return self.of(field.remote_field.model)
        for kind, value in VALUES:
            if isinstance(field, kind):
                return value(self._number)
        return f"text {self._number}"[: field.max_length]


# The first that fits; others are texts.
VALUES: tuple[tuple[type[models.Field[Any, Any]], Callable[[int], Any]], ...] = (
    (ArrayField, lambda number: []),
    (models.DateTimeField, lambda number: timezone.now()),
    (models.DateField, lambda number: timezone.now().date()),
    (models.JSONField, lambda number: {}),
    (models.UUIDField, lambda number: uuid.uuid4()),
    (models.BooleanField, lambda number: False),
    (models.FloatField, lambda number: 0.5),
    (models.DecimalField, lambda number: Decimal(1)),
    (models.IntegerField, lambda number: number % 1000),
    (models.GenericIPAddressField, lambda number: "192.0.2.1"),
    (models.EmailField, lambda number: f"person{number}@example.com"),
    (models.FileField, lambda number: f"originals/{number}.jpg"),
)
