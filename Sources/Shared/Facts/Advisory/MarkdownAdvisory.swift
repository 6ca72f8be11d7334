package import CrateFile
import Registry

/// Reads RustSec's own form: TOML between fences, then Markdown whose first heading is the title.
///
/// Source: https://github.com/rustsec/advisory-db, "EXAMPLE_ADVISORY.md".
package enum MarkdownAdvisory {
    private static let opening = "```toml\n"
    private static let closing = "\n```"

    /// - Parameter collection: which folder the file lies in.
    package static func read(
        _ text: String, in collection: Advisory.Collection
    ) throws(Advisory.Invalid) -> Advisory {
        // One kind of line end, or `\r\n` would be one Character that no text here begins or ends with.
        let text = text.replacingLineEnds
        guard text.hasPrefix(opening), let end = text.range(of: closing, after: opening.count) else {
            throw .init("it does not begin with TOML between ```toml and ```")
        }
        let toml: ManifestValue
        do {
            toml = try ManifestReader.read(String(text[..<end.lowerBound].dropFirst(opening.count)))
        } catch {
            throw .init("its TOML: line \(error.line + 1), column \(error.column): \(error.reason)")
        }
        let (title, details) = try heading(of: text[end.upperBound...])
        return try advisory(toml, title, details, collection)
    }

    private static func advisory(
        _ toml: ManifestValue, _ title: String, _ details: String, _ collection: Advisory.Collection
    ) throws(Advisory.Invalid) -> Advisory {
        guard let head = toml["advisory"], let versions = toml["versions"] else {
            throw .init("it has no [advisory] or no [versions] table")
        }
        func required(_ key: String) throws(Advisory.Invalid) -> String {
            guard let text = head[key]?.string, !text.isEmpty else { throw .init("`advisory.\(key)` is missing") }
            return text
        }
        let affected = toml["affected"]
        return Advisory(
            id: try required("id"), collection: collection, package: try required("package"),
            kind: try AdvisoryKind(informational: head["informational"]?.string), title: title, details: details,
            published: try AdvisoryDay.read(try required("date")),
            withdrawn: try head["withdrawn"]?.string.map(AdvisoryDay.read),
            aliases: try texts(head["aliases"], "aliases"), related: try texts(head["related"], "related"),
            categories: try texts(head["categories"], "categories"), vector: head["cvss"]?.string,
            references: (head["url"]?.string.map { [$0] } ?? []) + (try texts(head["references"], "references")),
            functions: Array((affected?["functions"]?.table ?? [:]).keys),
            architectures: try texts(affected?["arch"], "arch"), systems: try texts(affected?["os"], "os"),
            license: head["license"]?.string ?? "CC0-1.0",
            affected: try SafeVersions.affected(
                besides: try requirements(versions["patched"], "patched")
                    + (try requirements(versions["unaffected"], "unaffected"))))
    }

    private static func requirements(
        _ value: ManifestValue?, _ key: String
    ) throws(Advisory.Invalid) -> [VersionRequirement] {
        var requirements: [VersionRequirement] = []
        for text in try texts(value, key) {
            do { requirements.append(try VersionRequirement(text)) } catch { throw .init("`\(key)`: \(error)") }
        }
        return requirements
    }

    private static func texts(_ value: ManifestValue?, _ key: String) throws(Advisory.Invalid) -> [String] {
        guard let value else { return [] }
        guard let values = value.array else { throw .init("`\(key)` is no list") }
        let texts = values.compactMap(\.string)
        guard texts.count == values.count else { throw .init("`\(key)` holds something that is no text") }
        return texts
    }

    private static func heading(
        of text: Substring
    ) throws(Advisory.Invalid) -> (title: String, details: String) {
        let body = text.drop(while: \.isWhitespace)
        guard body.hasPrefix("#") else { throw .init("no heading follows its TOML") }
        let line = body.prefix { $0 != "\n" }
        return (line.drop { $0 == "#" }.trimmed, body[line.endIndex...].trimmed)
    }
}

/// A day as advisories write it.
enum AdvisoryDay {
    /// - Parameter text: a day or a time, `2026-08-21T12:00:00Z`.
    static func read(_ text: String) throws(Advisory.Invalid) -> String {
        let day = String(text.prefix(10))
        guard Pubtime(day + "T00:00:00Z") != nil, text.count == 10 || text.dropFirst(10).first == "T" else {
            throw .init("`\(text.prefix(40))` is no date like 2026-08-21")
        }
        return day
    }
}

extension AdvisoryKind {
    /// - Parameter informational: nil for a vulnerability.
    init(informational text: String?) throws(Advisory.Invalid) {
        guard let text else {
            self = .vulnerability
            return
        }
        guard let kind = AdvisoryKind(rawValue: text), kind != .vulnerability else {
            throw .init("`informational` is `\(text.prefix(40))`; known are unmaintained, unsound, notice")
        }
        self = kind
    }
}

extension StringProtocol {
    /// Without white space at both ends.
    var trimmed: String {
        var rest = self[...]
        while rest.first?.isWhitespace ?? false { rest.removeFirst() }
        while rest.last?.isWhitespace ?? false { rest.removeLast() }
        return String(rest)
    }
}

extension String {
    fileprivate var replacingLineEnds: String {
        utf8.contains(UInt8(ascii: "\r")) ? String(map { $0 == "\r\n" ? "\n" : $0 }) : self
    }

    fileprivate func range(of part: String, after start: Int) -> Range<Index>? {
        let (bytes, wanted) = (utf8, Array(part.utf8))
        var place = bytes.index(bytes.startIndex, offsetBy: start - 1)
        while let found = bytes[place...].firstIndex(of: wanted[0]) {
            if bytes[found...].starts(with: wanted) {
                return found..<bytes.index(found, offsetBy: wanted.count)
            }
            place = bytes.index(after: found)
        }
        return nil
    }
}
