import Registry

/// One version as the source offers it.
struct ImportOffer: Sendable {
    /// Where its bytes are.
    enum Place: Hashable, Sendable {
        case file(String)
        case url(String, isAuthorized: Bool)
    }

    let name: CrateName
    let version: Version
    /// Nil if the source has no index file of the crate: the manifest tells then.
    let line: IndexLine?
    /// The line as the source has it; nil if ours differs from it.
    var text: String?
    let place: Place
}

/// A version that stays out, and why; the others go on.
struct ImportRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    let crate: String
    /// Or what stands in its place in the source, like `line 3`.
    let version: String
    let cause: String

    init(_ crate: String, _ version: String, _ cause: String) {
        self.crate = crate
        self.version = version
        self.cause = cause
    }

    var description: String { "\(crate) \(version): \(cause)" }
}

/// What the index file of one crate offers.
struct IndexFileOffers {
    private(set) var lines: [IndexLine] = []
    /// Lines that need no change, byte for byte as the source has them; by number without build metadata.
    private(set) var texts: [String: String] = [:]
    private(set) var refusals: [ImportRefusal] = []

    /// - Parameters:
    ///   - lowered: the crate that was asked for.
    ///   - ours: index URLs that mean the source or the destination; dependencies on them lose their `registry`.
    init(_ bytes: [UInt8], of lowered: CrateName, ours: Set<String>) {
        var seen: Set<String> = []
        for (number, part) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated()
        where !part.allSatisfy({ $0 == 0x20 || $0 == 0x0D || $0 == 0x09 }) {
            do {
                let line = try IndexLine(parsing: Array(part))
                if let objection = objection(to: line, lowered, &seen) {
                    refusals.append(ImportRefusal(lowered.spelling, line.version.description, objection))
                } else {
                    let ours = line.with(ownRegistries: ours)
                    lines.append(ours)
                    if ours == line { texts[line.version.bare] = Self.text(part) }
                }
            } catch {
                refusals.append(ImportRefusal(lowered.spelling, Self.label(part, number + 1), error.description))
            }
        }
    }

    private func objection(to line: IndexLine, _ lowered: CrateName, _ seen: inout Set<String>) -> String? {
        guard line.name.lowered == lowered.lowered else {
            return "the line names another crate, `\(line.name.spelling)`"
        }
        if let first = lines.first, first.name != line.name {
            return "the index spells the name `\(line.name.spelling)` here and `\(first.name.spelling)` before"
        }
        guard seen.insert(line.version.bare).inserted else {
            return "the index has this version more than once; only the first is taken"
        }
        return nil
    }

    /// Without the white space around it.
    private static func text(_ line: ArraySlice<UInt8>) -> String {
        let isSpace = { (byte: UInt8) in byte == 0x20 || byte == 0x0D || byte == 0x09 }
        let inner = line.drop(while: isSpace).reversed().drop(while: isSpace).reversed()
        return String(decoding: Array(inner), as: UTF8.self)
    }

    private static func label(_ line: some Sequence<UInt8>, _ number: Int) -> String {
        let version = (try? JSONValue(parsing: Array(line)))?.object?["vers"]?.string
        return version.map { String($0.prefix(Version.bytesMax)) } ?? "line \(number)"
    }
}

extension IndexLine {
    /// The line as it stands in our index: a dependency on the registry that it came from is one on ours.
    fileprivate func with(ownRegistries: Set<String>) -> IndexLine {
        guard dependencies.contains(where: { $0.registry.map(ownRegistries.contains) ?? false }) else { return self }
        return with(
            dependencies: dependencies.map { dependency in
                dependency.registry.map(ownRegistries.contains) ?? false ? dependency.inside : dependency
            })
    }
}
