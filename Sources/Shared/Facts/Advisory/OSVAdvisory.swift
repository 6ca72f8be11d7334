import Registry

/// Reads the OSV form of an advisory: one JSON object that speaks of one crate.
///
/// What RustSec's export puts into `ecosystem_specific` and `database_specific` is read too: kind, categories, functions.
/// Source: https://ossf.github.io/osv-schema/
package enum OSVAdvisory {
    /// The crates.io part of a record.
    package static func read(_ json: [UInt8]) throws(Advisory.Invalid) -> Advisory {
        let record: JSONObject
        do {
            guard let object = try JSONValue(parsing: json).object else {
                throw Advisory.Invalid("it is no JSON object")
            }
            record = object
        } catch let error as JSONValue.Invalid {
            throw .init(error.description)
        } catch {
            throw .init("it is no JSON object")
        }
        let affected = (record["affected"]?.array ?? []).compactMap(\.object).filter {
            $0["package"]?.object?["ecosystem"]?.string == "crates.io"
        }
        guard affected.count == 1, let part = affected.first, let package = part["package"]?.object else {
            throw .init("it speaks of \(affected.count) crates.io packages; one is what can be read")
        }
        return try advisory(record, part, try required(package, "name"))
    }

    private static func advisory(
        _ record: JSONObject, _ part: JSONObject, _ package: String
    ) throws(Advisory.Invalid) -> Advisory {
        let specific = part["database_specific"]?.object
        let affects = part["ecosystem_specific"]?.object?["affects"]?.object
        let vectors = (record["severity"]?.array ?? []).compactMap { $0.object?["score"]?.string }
        return Advisory(
            id: try required(record, "id"), collection: .crates, package: package,
            kind: try AdvisoryKind(informational: specific?["informational"]?.string),
            title: (record["summary"]?.string ?? "").trimmed, details: (record["details"]?.string ?? "").trimmed,
            published: try AdvisoryDay.read(try required(record, "published")),
            withdrawn: try record["withdrawn"]?.string.map(AdvisoryDay.read), aliases: texts(record["aliases"]),
            related: texts(record["related"]), categories: texts(specific?["categories"]),
            vector: specific?["cvss"]?.string ?? vectors.first,
            references: (record["references"]?.array ?? []).compactMap { $0.object?["url"]?.string },
            functions: texts(affects?["functions"]), architectures: texts(affects?["arch"]),
            systems: texts(affects?["os"]),
            license: record["database_specific"]?.object?["license"]?.string ?? "CC0-1.0",
            affected: try intervals(part))
    }

    private static func intervals(_ part: JSONObject) throws(Advisory.Invalid) -> [VersionInterval] {
        var intervals: [VersionInterval] = []
        for range in (part["ranges"]?.array ?? []).compactMap(\.object) {
            switch range["type"]?.string {
            case "SEMVER", "ECOSYSTEM": intervals += try read(range["events"]?.array ?? [])
            case "GIT": continue
            default: throw .init("a range has a type other than SEMVER, ECOSYSTEM or GIT")
            }
        }
        for text in texts(part["versions"]) {
            let version = try version(text)
            intervals.append(VersionInterval(introduced: version, fixed: try successor(of: version)))
        }
        return intervals.tidy
    }

    /// Events in the order of the text: each `introduced` opens an interval that the next other event closes.
    private static func read(_ events: [JSONValue]) throws(Advisory.Invalid) -> [VersionInterval] {
        var intervals: [VersionInterval] = []
        var open: (start: Version?, isOpen: Bool) = (nil, false)
        for member in events.compactMap({ $0.object?.members.first }) {
            guard let text = member.value.string else { throw .init("an event's version is no text") }
            switch (member.key, open.isOpen) {
            case ("introduced", false): open = (try start(text), true)
            case ("fixed", true):
                intervals.append(VersionInterval(introduced: open.start, fixed: try version(text)))
                open.isOpen = false
            case ("last_affected", true):
                intervals.append(
                    VersionInterval(introduced: open.start, fixed: try successor(of: try version(text))))
                open.isOpen = false
            default: throw .init("the event `\(member.key.prefix(40))` stands in a wrong place")
            }
        }
        return open.isOpen ? intervals + [VersionInterval(introduced: open.start, fixed: nil)] : intervals
    }

    /// Two ways to write "from the very first".
    private static func start(_ text: String) throws(Advisory.Invalid) -> Version? {
        text == "0" || text == "0.0.0-0" ? nil : try version(text)
    }

    private static func version(_ text: String) throws(Advisory.Invalid) -> Version {
        do { return try Version(text) } catch { throw .init(error.description) }
    }

    private static func successor(of version: Version) throws(Advisory.Invalid) -> Version {
        guard let next = version.successor else { throw .init("the numbers of \(version) are too large") }
        return next
    }

    private static func required(_ object: JSONObject, _ key: String) throws(Advisory.Invalid) -> String {
        guard let text = object[key]?.string, !text.isEmpty else { throw .init("`\(key)` is missing") }
        return text
    }

    private static func texts(_ value: JSONValue?) -> [String] { value?.array?.compactMap(\.string) ?? [] }
}
