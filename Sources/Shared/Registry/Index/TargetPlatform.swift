/// Checks what may stand in a dependency's `target`: a triple, or `cfg(…)` with `all`, `any` and `not`.
///
/// cargo drops a version whose line it can't read here, so such a line must not be served.
/// Source: docs/PROTOCOL.md, "File format".
enum TargetPlatform {
    static func isValid(_ text: String) -> Bool {
        guard text.hasPrefix("cfg("), text.hasSuffix(")") else { return isTriple(text) }
        var reader = ConditionReader(text.dropFirst("cfg(".count).dropLast())
        return reader.isWholeCondition()
    }

    private static func isTriple(_ text: String) -> Bool {
        !text.isEmpty
            && text.unicodeScalars.allSatisfy {
                $0.properties.isAlphabetic || $0.properties.numericType != nil || $0 == "_" || $0 == "-" || $0 == "."
            }
    }
}

/// Reads the inside of `cfg(…)`; nothing is kept but whether it can be read.
private struct ConditionReader {
    private static let depthMax = 32

    private var rest: Substring.UnicodeScalarView
    private var depth = 0

    init(_ text: Substring) { rest = text.unicodeScalars }

    mutating func isWholeCondition() -> Bool {
        guard skipCondition() else { return false }
        skipSpaces()
        return rest.isEmpty
    }

    private mutating func skipCondition() -> Bool {
        guard let (name, isRaw) = identifier() else { return false }
        skipSpaces()
        if !isRaw, ["all", "any", "not"].contains(name), skip("(") { return skipList(isSingle: name == "not") }
        if skip("=") { return skipString() }
        return isRaw || !["all", "any", "not"].contains(name)
    }

    private mutating func skipList(isSingle: Bool) -> Bool {
        guard depth < Self.depthMax else { return false }
        depth += 1
        defer { depth -= 1 }
        var count = 0
        skipSpaces()
        while !skip(")") {
            guard skipCondition() else { return false }
            count += 1
            skipSpaces()
            if skip(",") { skipSpaces() } else if rest.first != ")" { return false }
        }
        return !isSingle || count == 1
    }

    private mutating func skipString() -> Bool {
        skipSpaces()
        guard skip("\""), let end = rest.firstIndex(of: "\"") else { return false }
        rest = rest[rest.index(after: end)...]
        return true
    }

    /// `unix`, or with the raw mark `r#true`.
    private mutating func identifier() -> (name: String, isRaw: Bool)? {
        skipSpaces()
        var isRaw = false
        if rest.starts(with: "r#".unicodeScalars) {
            rest = rest.dropFirst(2)
            isRaw = true
        }
        guard let first = rest.first, first == "_" || first.properties.isXIDStart else { return nil }
        let name = rest.prefix { $0 == "_" || $0.properties.isXIDContinue }
        rest = rest[name.endIndex...]
        return (String(Substring(name)), isRaw)
    }

    private mutating func skip(_ mark: Unicode.Scalar) -> Bool {
        guard rest.first == mark else { return false }
        rest = rest.dropFirst()
        return true
    }

    private mutating func skipSpaces() { rest = rest.drop { $0.properties.isWhitespace } }
}
