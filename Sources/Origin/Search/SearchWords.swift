import Registry

/// How a crate's name stands in the search column: whole, so that a prefix of it finds the crate, and in parts.
///
/// | name         | lexemes      | parts        |
/// |--------------|--------------|--------------|
/// | `Serde-JSON` | `serde_json` | `serde json` |
struct SearchWords {
    let lexemes: [String]
    let parts: String

    init(name: CrateName) {
        lexemes = [name.identity]
        parts = name.identity.split(separator: "_").joined(separator: " ")
    }
}

/// A search as a person typed it, in the forms that PostgreSQL asks for.
struct SearchQuery: Equatable {
    static let charactersMax = 256
    static let wordsMax = 16

    /// The query as if it were a crate's name; what equals it comes first, what begins with it second. Empty for none.
    let identity: String
    /// For `to_tsquery('simple', …)`: each word may be the beginning of one. Empty for none.
    let prefixes: String
    /// For `plainto_tsquery('english', …)`.
    let text: String

    var isEmpty: Bool { text.isEmpty }

    init(_ typed: some StringProtocol) {
        let plain = typed.prefix(Self.charactersMax).lowercased()
        let words = plain.split { !($0.isLetter || $0.isNumber) }.prefix(Self.wordsMax)
        text = words.joined(separator: " ")
        identity = plain.split { $0 == " " }.count == 1 ? words.joined(separator: "_") : ""
        let all = words.map { "'\($0)':*" }.joined(separator: " & ")
        prefixes = words.count > 1 && !identity.isEmpty ? "(\(all)) | '\(identity)':*" : all
    }
}
