/// Parts a crate's features into what every cargo reads and what only cargo 1.60 and later does.
///
/// A feature goes to `features2` if one of its values begins with `dep:` or has the form `package?/feature`, and also
/// if it enables, through any number of steps, a feature that does.
/// Source: docs/PROTOCOL.md, "From publish request to index line".
package struct FeatureSplit: Hashable, Sendable {
    package let features: IndexLine.Features
    package let features2: IndexLine.Features

    package init(_ all: IndexLine.Features) {
        var moved = Set(all.lazy.filter { $0.value.contains(where: Self.isNewSyntax) }.map(\.key))
        if !moved.isEmpty { Self.spread(&moved, over: all) }
        features2 = all.filter { moved.contains($0.key) }
        features = all.filter { !moved.contains($0.key) }
    }

    private static func isNewSyntax(_ value: String) -> Bool { value.hasPrefix("dep:") || value.contains("?/") }

    /// Adds whatever enables something in `moved`; each edge is walked once.
    private static func spread(_ moved: inout Set<String>, over all: IndexLine.Features) {
        var enablers: [String: [String]] = [:]
        for (name, values) in all {
            for value in values { enablers[value, default: []].append(name) }
        }
        var waiting = Array(moved)
        while let name = waiting.popLast() {
            for enabler in enablers[name] ?? [] where moved.insert(enabler).inserted { waiting.append(enabler) }
        }
    }
}
