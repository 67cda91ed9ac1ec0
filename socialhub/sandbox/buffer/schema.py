"""Buffer's published schema, made executable, with the limits that its server puts on a document."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLScalarType,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    build_schema,
    extend_schema,
    parse,
)

SOURCE = Path(__file__).with_name("schema.graphql")
# The live schema grows: services and error types that the file does not know are part of life with it.
LATER = """
extend enum Service { substack whatsapp }
extend type MastodonMetadata { maxCharacters: Int! }
type QuotaExhaustedError implements MutationError { message: String! }
extend union PostActionPayload = QuotaExhaustedError
"""
MOST_TOKENS = 15_000
MOST_COMPLEXITY = 175_000
MOST_DEPTH = 25
MOST_ALIASES = 30
MOST_DIRECTIVES = 50
OBJECT_IDS = ("AccountId", "ChannelId", "DraftId", "IdeaId", "OrganizationId", "PostId", "TagId")


def parse_object_id(value: Any) -> str:
    if not isinstance(value, str) or len(value) != 24 or set(value.lower()) - set("0123456789abcdef"):
        raise GraphQLError(f"Value is not a valid mongodb object id of form: {value}")
    return value


def parse_date_time(value: Any) -> float:
    """An instant with its offset, as seconds."""
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise GraphQLError(f"DateTime cannot represent an invalid date-time-string {value}.") from None
    if moment.tzinfo is None:
        raise GraphQLError(f"DateTime needs an offset: {value}")
    return moment.timestamp()


def teach(scalar: GraphQLScalarType, parse_value: Callable[[Any], Any]) -> None:
    """Let a scalar refuse what the server refuses, as a variable and as a literal."""

    def parse_literal(node: Any, variables: dict[str, Any] | None = None) -> Any:
        return parse_value(getattr(node, "value", None))

    vars(scalar).update(
        parse_value=parse_value,
        coerce_input_value=parse_value,
        parse_literal=parse_literal,
        coerce_input_literal=parse_literal,
    )


SCHEMA = extend_schema(build_schema(SOURCE.read_text("utf-8")), parse(LATER))
for scalar in SCHEMA.type_map.values():
    if isinstance(scalar, GraphQLScalarType) and scalar.name in OBJECT_IDS:
        teach(scalar, parse_object_id)
    elif isinstance(scalar, GraphQLScalarType) and scalar.name == "DateTime":
        teach(scalar, parse_date_time)


class Weigher:
    """How heavy a document is, by Buffer's rules: a scalar 1, an object 2, and half as much again for each level."""

    def __init__(self, document: DocumentNode) -> None:
        self.fragments = {
            one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)
        }
        self.aliases = 0
        self.directives = 0
        self.depth = 0
        self.complexity = 0.0
        for one in document.definitions:
            if isinstance(one, OperationDefinitionNode):
                self.complexity += self.weigh(one.selection_set, 1)

    def weigh(self, selections: SelectionSetNode | None, depth: int) -> float:
        self.depth = max(self.depth, depth)
        if selections is None or depth > MOST_DEPTH + 1:
            return 0.0
        weight = 0.0
        for one in selections.selections:
            self.directives += len(one.directives or ())
            if isinstance(one, FieldNode):
                self.aliases += one.alias is not None
                weight += 2 + 1.5 * self.weigh(one.selection_set, depth + 1) if one.selection_set else 1
            elif isinstance(one, FragmentSpreadNode):
                fragment = self.fragments.get(one.name.value)
                weight += self.weigh(fragment.selection_set if fragment else None, depth)
            elif isinstance(one, InlineFragmentNode):
                weight += self.weigh(one.selection_set, depth)
        return weight


def check_limits(document: DocumentNode) -> None:
    """Raises GraphQLError."""
    weigher = Weigher(document)
    for name, found, most in [
        ("depth", weigher.depth, MOST_DEPTH),
        ("aliases", weigher.aliases, MOST_ALIASES),
        ("directives", weigher.directives, MOST_DIRECTIVES),
        ("complexity", weigher.complexity, MOST_COMPLEXITY),
    ]:
        if found > most:
            raise GraphQLError(f"Syntax Error: Query {name} limit of {most} exceeded, found {int(found)}.")
