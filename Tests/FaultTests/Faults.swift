import Testing

/// All scenarios, one after the other: each has the machine for itself.
@Suite(.serialized, .enabled(if: Namespaces.isPossible, Comment(rawValue: Namespaces.reason)))
enum Faults {}
