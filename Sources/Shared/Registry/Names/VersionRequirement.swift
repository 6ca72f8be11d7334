/// Which versions a dependency accepts, by the rules of cargo: `^1.2`, `>=1.0, <2`, `~1.2.3`, `=1`, `*`.
///
/// `description` is the normal form that cargo and crates.io write: `1.2` becomes `^1.2`, build metadata goes.
/// Grammar, printing and matching follow the Rust crate `semver`, version 1.
/// Source: docs/PROTOCOL.md, "From publish request to index line".
package struct VersionRequirement: Hashable, Sendable, CustomStringConvertible {
    package static let comparatorsMax = 32

    /// One of the conditions that a requirement joins: `>=1.2`.
    package struct Comparator: Hashable, Sendable {
        /// How versions are compared; spelled as in the manifest.
        package enum Operator: String, Hashable, Sendable {
            case exact = "="
            case greater = ">"
            case greaterOrEqual = ">="
            case less = "<"
            case lessOrEqual = "<="
            case tilde = "~"
            case caret = "^"
            /// `1.*`, `1.2.*`
            case wildcard = ""
        }

        package let operation: Operator
        package let major: UInt64
        package let minor: UInt64?
        package let patch: UInt64?
        /// Without the `-`; empty for none.
        package let prerelease: String
    }

    /// All of them must hold; empty for `*`.
    package let comparators: [Comparator]

    /// - Throws: if cargo could not read `text` either.
    package init(_ text: String) throws(Invalid) {
        var reader = RequirementReader(text)
        guard let comparators = reader.requirement() else { throw Invalid(text: text) }
        self.comparators = comparators
    }

    /// True for `*`, which accepts every release and which crates.io refuses.
    package var isWildcard: Bool { comparators.isEmpty }

    package var description: String {
        isWildcard ? "*" : comparators.map(\.description).joined(separator: ", ")
    }
}

extension VersionRequirement {
    package struct Invalid: Error, Hashable, CustomStringConvertible {
        package let text: String

        package var description: String {
            "\"\(text)\" is an invalid version requirement: write it like `1.2`, `=1.2.3` or `>=1.2, <3`"
        }
    }
}

extension VersionRequirement.Comparator: CustomStringConvertible {
    package var description: String {
        var text = "\(operation.rawValue)\(major)"
        if let minor { text += ".\(minor)" }
        if let patch { text += ".\(patch)" }
        if !prerelease.isEmpty { text += "-\(prerelease)" }
        return patch == nil && operation == .wildcard ? text + ".*" : text
    }
}

/// Reads a requirement from left to right; nil means that it is none.
private struct RequirementReader {
    typealias Comparator = VersionRequirement.Comparator

    private var rest: Substring.UTF8View

    init(_ text: String) { rest = text[...].utf8 }

    mutating func requirement() -> [Comparator]? {
        skipSpaces()
        if skipWildcard() {
            skipSpaces()
            return rest.isEmpty ? [] : nil
        }
        var comparators: [Comparator] = []
        repeat {
            skipSpaces()
            guard comparators.count < VersionRequirement.comparatorsMax, let next = comparator() else { return nil }
            comparators.append(next)
            skipSpaces()
        } while skip(",")
        return rest.isEmpty ? comparators : nil
    }

    private mutating func comparator() -> Comparator? {
        let written = operation()
        skipSpaces()
        guard let major = number(), let minor = part(), let patch = part() else { return nil }
        if case (.wildcard, .number) = (minor, patch) { return nil }
        guard let prerelease = patch.number == nil ? "" : prereleaseWithoutBuild() else { return nil }
        let usual: Comparator.Operator = minor == .wildcard || patch == .wildcard ? .wildcard : .caret
        return Comparator(
            operation: written ?? usual, major: major, minor: minor.number, patch: patch.number,
            prerelease: prerelease)
    }

    private enum Part: Equatable {
        case absent
        case wildcard
        case number(UInt64)

        var number: UInt64? { if case .number(let value) = self { value } else { nil } }
    }

    private mutating func part() -> Part? {
        guard skip(".") else { return .absent }
        return skipWildcard() ? .wildcard : number().map(Part.number)
    }

    private mutating func operation() -> Comparator.Operator? {
        if skip("=") { return .exact }
        if skip(">") { return skip("=") ? .greaterOrEqual : .greater }
        if skip("<") { return skip("=") ? .lessOrEqual : .less }
        if skip("~") { return .tilde }
        return skip("^") ? .caret : nil
    }

    /// What `Version` says of `0.0.0` followed by the identifiers is right for them here too.
    private mutating func prereleaseWithoutBuild() -> String? {
        guard let mark = rest.first, mark == UInt8(ascii: "-") || mark == UInt8(ascii: "+") else { return "" }
        let tail = rest.prefix { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: ",") }
        rest = rest[tail.endIndex...]
        return (try? Version("0.0.0" + String(Substring(tail))))?.prerelease
    }

    private mutating func number() -> UInt64? {
        let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard !digits.isEmpty, digits.count == 1 || digits.first != UInt8(ascii: "0") else { return nil }
        rest = rest[digits.endIndex...]
        return UInt64(Substring(digits))
    }

    private mutating func skipWildcard() -> Bool { skip("*") || skip("x") || skip("X") }

    private mutating func skip(_ mark: Unicode.Scalar) -> Bool {
        guard rest.first == UInt8(ascii: mark) else { return false }
        rest = rest.dropFirst()
        return true
    }

    private mutating func skipSpaces() { rest = rest.drop { $0 == UInt8(ascii: " ") } }
}
