/// A licence as SPDX writes it: `MIT OR Apache-2.0`, `(GPL-2.0-only WITH Classpath-exception-2.0) AND MIT`.
///
/// As on crates.io, `/` is read as `OR`, deprecated identifiers are known, and case matters. `LicenseRef-…` names
/// a licence of one's own.
/// Source: docs/PROTOCOL.md, F10; SPDX specification, annex "License expressions".
package struct LicenseExpression: Hashable, Sendable, CustomStringConvertible {
    package static let bytesMax = 1_000
    package static let depthMax = 32

    /// The expression as a tree.
    package indirect enum Term: Hashable, Sendable {
        /// `orLater` is a final `+`.
        case license(String, orLater: Bool, exception: String?)
        case all(Term, Term)
        case any(Term, Term)
    }

    /// As it was read.
    package let description: String
    package let term: Term

    package init(_ text: String) throws(Invalid) {
        guard text.utf8.count <= Self.bytesMax else { throw Invalid(text: text, stranger: nil) }
        var reader = LicenseReader(text)
        term = try reader.expression()
        description = text
    }

    /// Every identifier in it, without `+`, in the order of reading.
    package var identifiers: [String] { Self.identifiers(of: term) }

    private static func identifiers(of term: Term) -> [String] {
        switch term {
        case .license(let identifier, _, _): [identifier]
        case .all(let left, let right), .any(let left, let right): identifiers(of: left) + identifiers(of: right)
        }
    }
}

extension LicenseExpression {
    package struct Invalid: Error, Hashable, CustomStringConvertible {
        package let text: String
        /// The word that is no identifier or stands in a wrong place; nil if something is missing at the end.
        package let stranger: String?

        package var description: String {
            let place = stranger.map { " at `\($0.prefix(80))`" } ?? ""
            return "unknown or invalid license expression `\(text.prefix(80))`\(place); see https://spdx.org/licenses/"
                + " for the identifiers, or use `license-file` or `LicenseRef-…` for a license of your own"
        }
    }
}

/// `OR` binds weaker than `AND`, `AND` weaker than `WITH`.
private struct LicenseReader {
    typealias Term = LicenseExpression.Term
    typealias Invalid = LicenseExpression.Invalid

    private let text: String
    private var words: ArraySlice<String>
    private var depth = 0

    init(_ text: String) {
        self.text = text
        words = Self.words(of: text)[...]
    }

    mutating func expression() throws(Invalid) -> Term {
        let term = try alternatives()
        guard words.isEmpty else { throw failure() }
        return term
    }

    private mutating func alternatives() throws(Invalid) -> Term {
        var term = try conjunction()
        while skip("OR") || skip("/") { term = .any(term, try conjunction()) }
        return term
    }

    private mutating func conjunction() throws(Invalid) -> Term {
        var term = try single()
        while skip("AND") { term = .all(term, try single()) }
        return term
    }

    private mutating func single() throws(Invalid) -> Term {
        guard skip("(") else { return try license() }
        guard depth < LicenseExpression.depthMax else { throw failure() }
        depth += 1
        let term = try alternatives()
        depth -= 1
        guard skip(")") else { throw failure() }
        return term
    }

    private mutating func license() throws(Invalid) -> Term {
        guard let word = words.first else { throw failure() }
        let isKnown = LicenseIdentifiers.isLicense(word)
        let orLater = !isKnown && word.hasSuffix("+")
        guard isKnown || orLater && LicenseIdentifiers.isLicense(String(word.dropLast())) else { throw failure() }
        words.removeFirst()
        let identifier = orLater ? String(word.dropLast()) : word
        guard skip("WITH") else { return .license(identifier, orLater: orLater, exception: nil) }
        guard let exception = words.first, LicenseIdentifiers.isException(exception) else { throw failure() }
        words.removeFirst()
        return .license(identifier, orLater: orLater, exception: exception)
    }

    private mutating func skip(_ word: String) -> Bool {
        guard words.first == word else { return false }
        words.removeFirst()
        return true
    }

    private func failure() -> Invalid { Invalid(text: text, stranger: words.first) }

    private static func words(of text: String) -> [String] {
        var words: [String] = []
        var word = ""
        for character in text {
            let isMark = character == "(" || character == ")" || character == "/"
            guard isMark || character.isWhitespace else {
                word.append(character)
                continue
            }
            if !word.isEmpty { words.append(word) }
            if isMark { words.append(String(character)) }
            word = ""
        }
        return word.isEmpty ? words : words + [word]
    }
}
