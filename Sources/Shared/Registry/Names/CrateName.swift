/// A crate's name as its first publisher spelled it, and the two spellings that follow from it.
///
/// | property   | of `Serde-JSON` | what it is for                                       |
/// |------------|-----------------|------------------------------------------------------|
/// | `spelling` | `Serde-JSON`    | `name` in index lines, messages to people            |
/// | `lowered`  | `serde-json`    | index paths, storage keys                            |
/// | `identity` | `serde_json`    | "is this name taken?"; unique in the `crates` table  |
///
/// Every value is valid: 1...64 ASCII bytes, a letter first, then letters, digits, `-` or `_`.
/// Source: docs/PROTOCOL.md, "Names".
package struct CrateName: Hashable, Sendable {
    package static let bytesMax = 64

    package let spelling: String

    /// - Throws: the first rule that `text` breaks, in words fit for the person who ran `cargo publish`.
    package init(_ text: String) throws(Invalid) {
        guard let first = text.unicodeScalars.first else { throw .empty }
        guard text.utf8.count <= Self.bytesMax else { throw .tooLong(text) }
        guard first.isLetter else { throw .badStart(text) }
        if let stranger = text.unicodeScalars.first(where: { !$0.isAllowedInName }) {
            throw .badCharacter(stranger, in: text)
        }
        spelling = text
    }

    package var lowered: String { spelling.lowercased() }
    package var identity: String { String(lowered.map { $0 == "-" ? "_" : $0 }) }
    package var indexPath: IndexPath { IndexPath(lowered: lowered) }
}

extension CrateName {
    package enum Invalid: Error, Hashable, CustomStringConvertible {
        case empty
        case tooLong(String)
        case badStart(String)
        case badCharacter(Unicode.Scalar, in: String)

        package var description: String {
            switch self {
            case .empty:
                "the crate name cannot be empty"
            case .tooLong(let name):
                "the crate name `\(name)` is too long (max \(CrateName.bytesMax) characters)"
            case .badStart(let name) where ("0"..."9").contains(name.unicodeScalars.first ?? "a"):
                "the name `\(name)` cannot be used as a crate name, the name cannot start with a digit"
            case .badStart(let name):
                "the name `\(name)` cannot be used as a crate name, the first character must be a letter from a to z"
            case .badCharacter(let character, let name):
                "invalid character `\(character)` in crate name: `\(name)`, "
                    + "characters must be an ASCII letter, digit, `-`, or `_`"
            }
        }
    }
}

/// Where a crate's index file lives below the index root: `1/a`, `2/ab`, `3/a/abc`, `ab/cd/abcd`.
///
/// Only canonical paths exist as values, so text from a URL either names exactly one file
/// or is no `IndexPath` at all; callers never check for `..`, upper case or odd prefixes.
/// Source: docs/PROTOCOL.md, "Path layout".
package struct IndexPath: Hashable, Sendable, CustomStringConvertible {
    /// The crate's lower-case name, the last component of the path.
    package let name: String

    fileprivate init(lowered name: String) { self.name = name }

    /// Reads a path as it stands in a request, without a leading slash.
    ///
    /// - Returns: nil for anything that this type would not have written itself.
    package init?(parsing path: some StringProtocol) {
        guard let last = path.split(separator: "/").last,
            let crate = try? CrateName(String(last)),
            crate.indexPath.description == path
        else { return nil }
        self = crate.indexPath
    }

    package var description: String {
        switch name.utf8.count {
        case 1: "1/\(name)"
        case 2: "2/\(name)"
        case 3: "3/\(name.prefix(1))/\(name)"
        default: "\(name.prefix(2))/\(name.dropFirst(2).prefix(2))/\(name)"
        }
    }
}

extension Unicode.Scalar {
    fileprivate var isLetter: Bool { ("a"..."z").contains(self) || ("A"..."Z").contains(self) }

    fileprivate var isAllowedInName: Bool {
        isLetter || ("0"..."9").contains(self) || self == "-" || self == "_"
    }
}
