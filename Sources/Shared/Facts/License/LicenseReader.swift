import Registry

/// Reads an expression from left to right: `OR` and `/` bind weaker than `AND`, `AND` weaker than `WITH`.
struct LicenseReader {
    typealias Invalid = LicenseTree.Invalid

    private var words: ArraySlice<String>
    private var depth = 0

    init(_ text: String) throws(Invalid) {
        guard text.utf8.count <= LicenseTree.bytesMax else { throw .tooLong }
        let words = Self.words(of: text)
        guard !words.isEmpty else { throw .empty }
        guard words.count <= LicenseTree.wordsMax else { throw .tooLong }
        self.words = words[...]
    }

    mutating func expression() throws(Invalid) -> LicenseTree {
        let tree = try alternatives()
        if let word = words.first { throw .unexpected(word) }
        return tree
    }

    private mutating func alternatives() throws(Invalid) -> LicenseTree {
        var parts = [try conjunction()]
        while skip("OR") || skip("/") { parts.append(try conjunction()) }
        if parts.count == 1 { return parts[0] }
        return .any(parts.flatMap { if case .any(let inner) = $0 { inner } else { [$0] } })
    }

    private mutating func conjunction() throws(Invalid) -> LicenseTree {
        var parts = [try single()]
        while skip("AND") { parts.append(try single()) }
        if parts.count == 1 { return parts[0] }
        return .all(parts.flatMap { if case .all(let inner) = $0 { inner } else { [$0] } })
    }

    private mutating func single() throws(Invalid) -> LicenseTree {
        guard skip("(") else { return .term(try term()) }
        guard depth < LicenseTree.depthMax else { throw .tooDeep }
        depth += 1
        let tree = try alternatives()
        depth -= 1
        guard skip(")") else { throw failure }
        return tree
    }

    private mutating func term() throws(Invalid) -> LicenseTerm {
        let written = try name()
        let (license, isKnown) = Self.license(written)
        guard skip("WITH") else { return LicenseTerm(license, isKnown: isKnown) }
        // Among the deprecated names some say their exception already: a second one would be lost.
        guard license.exception == nil else { throw .unexpected("WITH") }
        let exception = try name()
        let spelling = LicenseIdentifiers.spelling(ofException: exception)
        return LicenseTerm(
            id: license.id, isOrLater: license.isOrLater, exception: spelling ?? exception,
            isKnown: isKnown && spelling != nil)
    }

    /// The licence in today's spelling.
    private static func license(_ word: String) -> (DeprecatedLicenses.Successor, isKnown: Bool) {
        if let spelling = LicenseIdentifiers.spelling(ofLicense: word) {
            return (DeprecatedLicenses.successor(of: spelling) ?? .init(spelling), true)
        }
        guard word.hasSuffix("+") else { return (.init(word), false) }
        let stem = String(word.dropLast())
        guard let spelling = LicenseIdentifiers.spelling(ofLicense: stem) else {
            return (.init(stem, isOrLater: true), false)
        }
        return (DeprecatedLicenses.orLater(spelling) ?? .init(spelling, isOrLater: true), true)
    }

    private mutating func name() throws(Invalid) -> String {
        guard let word = words.first, Self.isName(word) else { throw failure }
        words.removeFirst()
        return word
    }

    /// SPDX's `idstring`, with a `+` behind it or a document before it.
    private static func isName(_ word: String) -> Bool {
        guard !["AND", "OR", "WITH"].contains(word), !["and", "or", "with"].contains(word) else { return false }
        let parts = (word.hasSuffix("+") ? word.dropLast() : word[...]).split(
            separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 1 || parts.count == 2 && parts[0].hasPrefix("DocumentRef-") else { return false }
        return parts.allSatisfy { part in
            !part.isEmpty && part != "LicenseRef-" && part.utf8.allSatisfy(\.isNameByte)
        }
    }

    /// The specification wants operators in capitals or, since version 3, in small letters; not mixed.
    private mutating func skip(_ word: String) -> Bool {
        guard words.first == word || words.first == word.lowercased() else { return false }
        words.removeFirst()
        return true
    }

    private var failure: Invalid { words.first.map(Invalid.unexpected) ?? .unfinished }

    private static func words(of text: String) -> [String] {
        var words: [String] = []
        var word = ""
        for scalar in text.unicodeScalars {
            let isMark = scalar == "(" || scalar == ")" || scalar == "/"
            guard isMark || scalar.properties.isWhitespace else {
                word.unicodeScalars.append(scalar)
                continue
            }
            if !word.isEmpty { words.append(word) }
            if isMark { words.append(String(scalar)) }
            word = ""
        }
        return word.isEmpty ? words : words + [word]
    }
}

extension LicenseTerm {
    fileprivate init(_ license: DeprecatedLicenses.Successor, isKnown: Bool) {
        self.init(
            id: license.id, isOrLater: license.isOrLater, exception: license.exception, isKnown: isKnown)
    }
}

extension UInt8 {
    fileprivate var isNameByte: Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self)
            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) || self == UInt8(ascii: "-")
            || self == UInt8(ascii: ".")
    }
}
