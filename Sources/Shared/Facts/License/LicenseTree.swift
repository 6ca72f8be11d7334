import Registry

/// A licence expression as a tree, every identifier in the spelling of the SPDX list.
///
/// More is read than `Registry.LicenseExpression` lets a publisher write, because versions from elsewhere are judged as
/// they are: case does not matter, `/` is crates.io's old `OR`, deprecated identifiers become what replaced them, and a
/// name that no list knows is kept and told (`LicenseTerm.isKnown`) instead of refused.
/// Source: SPDX specification, annex "License expressions"; list version `LicenseIdentifiers.listVersion`.
package indirect enum LicenseTree: Hashable, Sendable {
    case term(LicenseTerm)
    /// All of them together; two or more, none of them `all` itself.
    case all([LicenseTree])
    /// One of them, at the user's choice; two or more, none of them `any` itself.
    case any([LicenseTree])

    package static let bytesMax = 2_000
    package static let depthMax = 32
    package static let wordsMax = 400

    /// - Throws: if it is no expression, with the place.
    package init(_ text: String) throws(Invalid) {
        var reader = try LicenseReader(text)
        self = try reader.expression()
    }

    /// From left to right.
    package var terms: [LicenseTerm] {
        switch self {
        case .term(let term): [term]
        case .all(let parts), .any(let parts): parts.flatMap(\.terms)
        }
    }
}

/// One licence, perhaps with an exception.
package struct LicenseTerm: Hashable, Sendable {
    /// As the SPDX list spells it, never a deprecated one; as written if no list knows it.
    package let id: String
    /// A final `+`: this version or any later one. GNU licences say it in their name instead.
    package let isOrLater: Bool
    /// What stands behind `WITH`.
    package let exception: String?
    /// True if the SPDX list has the licence and the exception.
    package let isKnown: Bool

    /// True for a licence of the publisher's own: `LicenseRef-…`.
    package var isReference: Bool { id.hasPrefix("LicenseRef-") || id.hasPrefix("DocumentRef-") }

    package init(id: String, isOrLater: Bool = false, exception: String? = nil, isKnown: Bool = true) {
        self.id = id
        self.isOrLater = isOrLater
        self.exception = exception
        self.isKnown = isKnown
    }
}

extension LicenseTree: CustomStringConvertible {
    /// The one way to write it: as few parentheses as there can be.
    package var description: String {
        switch self {
        case .term(let term): term.description
        case .any(let parts): parts.map(\.description).joined(separator: " OR ")
        case .all(let parts):
            parts.map { part in
                if case .any = part { "(\(part))" } else { part.description }
            }.joined(separator: " AND ")
        }
    }
}

extension LicenseTerm: CustomStringConvertible {
    package var description: String { id + (isOrLater ? "+" : "") + (exception.map { " WITH \($0)" } ?? "") }
}

extension LicenseTree {
    package enum Invalid: Error, Hashable, CustomStringConvertible {
        case empty
        case tooLong
        case tooDeep
        /// A word that no expression can have there.
        case unexpected(String)
        /// Something is missing behind the last word.
        case unfinished

        package var description: String {
            switch self {
            case .empty: "the licence expression is empty"
            case .tooLong:
                "the licence expression has more than \(LicenseTree.bytesMax) bytes or \(LicenseTree.wordsMax) words"
            case .tooDeep: "the licence expression has more than \(LicenseTree.depthMax) levels of parentheses"
            case .unexpected(let word):
                "the licence expression has `\(word.prefix(80))` where nothing like it can stand"
            case .unfinished: "the licence expression ends too early"
            }
        }
    }
}
