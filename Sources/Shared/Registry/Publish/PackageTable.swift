/// Reads the `[package]` table field by field; each refusal names the field and its case.
struct PackageTable {
    typealias Objection = ManifestRules.Objection

    private static let descriptionCharactersMax = 1_000
    private static let shortTextBytesMax = 255
    private static let urlBytesMax = 2_000
    private static let keywordsMax = 5
    private static let keywordBytesMax = 20
    private static let categoriesMax = 5
    private static let categoryBytesMax = 100

    private let fields: [String: ManifestValue]

    init(_ fields: [String: ManifestValue]) { self.fields = fields }

    func requiredText(_ key: String) throws(Objection) -> String {
        guard let text = try text(key) else { throw Objection("G11", "`package.\(key)` is missing in Cargo.toml") }
        return text
    }

    func description() throws(Objection) -> String? {
        guard let text = try text("description")?.trimmed, !text.isEmpty else { return nil }
        guard text.unicodeScalars.count <= Self.descriptionCharactersMax else {
            throw Objection("5.2", "the `description` is too long. A maximum of 1000 characters is allowed.")
        }
        // TOML can spell it, PostgreSQL can't hold it.
        guard !text.unicodeScalars.contains("\0") else {
            throw Objection("5.2", "the `description` has a character U+0000; take it out")
        }
        return text
    }

    /// - Returns: `non-standard` if there is only a licence file.
    func license() throws(Objection) -> String? {
        let file = try text("license-file", "license_file")
        guard let text = try text("license")?.trimmed, !text.isEmpty else {
            return file?.isEmpty ?? true ? nil : "non-standard"
        }
        do {
            _ = try LicenseExpression(text)
        } catch {
            throw Objection("F10", error.description)
        }
        return text
    }

    func url(_ key: String) throws(Objection) -> String? {
        guard let text = try text(key)?.trimmed, !text.isEmpty else { return nil }
        let rest = ["https://", "http://"].first { text.hasPrefix($0) }.map { text.dropFirst($0.count) }
        guard let rest else {
            throw Objection(
                "5.2", "URL for field `\(key)` must begin with http:// or https:// (url: \(text.prefix(200)))")
        }
        let host = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        let isPlain = text.unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value != 0x7F }
        guard !host.isEmpty, isPlain, text.utf8.count <= Self.urlBytesMax else {
            throw Objection("5.2", "`\(text.prefix(200))` is not a valid URL for field `\(key)`")
        }
        return text
    }

    func rustVersion() throws(Objection) -> RustVersion? {
        guard let text = try text("rust-version", "rust_version") else { return nil }
        guard let version = RustVersion(text) else {
            throw Objection(
                "F22",
                "failed to parse `Cargo.toml` manifest file\n\n"
                    + "invalid `rust-version` value `\(text.prefix(80))`: write it like `1.70`"
            )
        }
        return version
    }

    func shortText(_ key: String) throws(Objection) -> String? {
        guard let text = try text(key) else { return nil }
        guard !text.isEmpty, text.utf8.count <= Self.shortTextBytesMax, text.utf8.allSatisfy({ $0 >= 0x20 }) else {
            throw Objection("5.2", "`package.\(key)` must have 1 to \(Self.shortTextBytesMax) printable characters")
        }
        return text
    }

    func keywords() throws(Objection) -> [String] {
        let keywords = try texts("keywords")
        guard keywords.count <= Self.keywordsMax else {
            throw Objection("F13", "expected at most \(Self.keywordsMax) keywords per crate")
        }
        for keyword in keywords {
            guard keyword.utf8.count <= Self.keywordBytesMax else {
                throw Objection(
                    "F13", "\"\(keyword.prefix(80))\" is an invalid keyword (keywords must have at most 20 characters)")
            }
            guard keyword.utf8.first?.isAlphanumeric ?? false, keyword.utf8.allSatisfy(\.isAllowedInKeyword) else {
                throw Objection(
                    "F13",
                    "\"\(keyword)\" is an invalid keyword: begin with a letter or digit, "
                        + "go on with letters, digits, `_`, `-`, `+`"
                )
            }
        }
        return keywords
    }

    /// Their shape only: which categories there are is crates.io's own list.
    func categories() throws(Objection) -> [String] {
        let categories = try texts("categories")
        guard categories.count <= Self.categoriesMax else {
            throw Objection("F14", "expected at most \(Self.categoriesMax) categories per crate")
        }
        for category in categories {
            let isSlug =
                !category.isEmpty && category.utf8.allSatisfy { $0.isAllowedInKeyword || $0 == UInt8(ascii: ":") }
            guard isSlug, category.utf8.count <= Self.categoryBytesMax else {
                throw Objection(
                    "F14", "\"\(category.prefix(80))\" is an invalid category slug: write it like `network-programming`"
                )
            }
        }
        return categories
    }

    /// - Parameter old: a spelling that cargo also reads.
    private func text(_ key: String, _ old: String? = nil) throws(Objection) -> String? {
        guard let value = fields[key] ?? old.flatMap({ fields[$0] }) else { return nil }
        guard let text = value.string else { throw .wrongType("package.\(key)", "a string") }
        return text
    }

    private func texts(_ key: String) throws(Objection) -> [String] {
        guard let value = fields[key] else { return [] }
        guard let values = value.array else { throw .wrongType("package.\(key)", "a list of strings") }
        let texts = values.compactMap(\.string)
        guard texts.count == values.count else { throw .wrongType("package.\(key)", "a list of strings") }
        return texts
    }
}

extension String {
    /// Without white space at both ends.
    fileprivate var trimmed: String {
        var rest = self[...]
        while rest.first?.isWhitespace ?? false { rest.removeFirst() }
        while rest.last?.isWhitespace ?? false { rest.removeLast() }
        return String(rest)
    }
}

extension UInt8 {
    fileprivate var isAlphanumeric: Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self)
            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self)
    }

    fileprivate var isAllowedInKeyword: Bool {
        isAlphanumeric || self == UInt8(ascii: "_") || self == UInt8(ascii: "-") || self == UInt8(ascii: "+")
    }
}
