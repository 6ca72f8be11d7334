import Facts
import Registry

/// One line of an upstream's index file: kept byte for byte, read once, and only as far as it must be.
///
/// A line that some cargo leaves out is passed on all the same: what the upstream means by it is for cargo to judge.
struct UpstreamLine: Hashable, Sendable {
    /// What a line tells of its version for the facts.
    struct Told: Hashable, Sendable {
        let publishedAt: Pubtime?
        let links: String?
        let dependencies: DependencyCounts
    }

    let name: CrateName
    let version: Version
    let checksum: Checksum
    let isYanked: Bool
    let text: String
    /// Nil for a line of a form that is newer than ours, or that cargo would not read.
    let told: Told?

    /// - Returns: nil for a line that names no version with a checksum.
    init?(_ bytes: [UInt8]) {
        guard let object = try? JSONValue(parsing: bytes).object,
            let name = object["name"]?.string.flatMap({ try? CrateName($0) }),
            let version = object["vers"]?.string.flatMap({ try? Version($0) }),
            let checksum = object["cksum"]?.string.flatMap({ Checksum(hex: $0) })
        else { return nil }
        self.name = name
        self.version = version
        self.checksum = checksum
        isYanked = object["yanked"]?.bool ?? false
        text = String(decoding: bytes, as: UTF8.self)
        told = (try? IndexLine(parsing: object)).map { line in
            Told(
                publishedAt: line.pubtime, links: line.links, dependencies: DependencyCounts(line.dependencies))
        }
    }
}

/// An upstream's index file, or why it is none. Pure.
///
/// | body                                      | becomes                                        |
/// |-------------------------------------------|------------------------------------------------|
/// | lines of JSON that name versions          | `lines`, in the upstream's order               |
/// | one such line twice                       | the first                                      |
/// | a line that names no version              | left out, counted; the others stay             |
/// | no line that names a version: HTML, empty | fault                                          |
/// | another crate's name                      | fault                                          |
/// | more than `linesMax` lines                | fault                                          |
struct UpstreamFile: Hashable, Sendable {
    static let bytesMax = 32 << 20
    static let linesMax = 20_000

    let lines: [UpstreamLine]
    /// Lines that name no version.
    let strangers: Int

    /// - Parameter asked: whose file it must be.
    init(_ body: [UInt8], of asked: CrateName) throws(UpstreamFault) {
        let parts = body.split(separator: UInt8(ascii: "\n"))
        guard parts.count <= Self.linesMax else { throw UpstreamFault("its index file has more than 20,000 lines") }
        var lines: [UpstreamLine] = []
        var seen: Set<String> = []
        var strangers = 0
        for part in parts {
            guard let line = UpstreamLine(Array(part)) else {
                strangers += 1
                continue
            }
            guard line.name.lowered == asked.lowered else {
                throw UpstreamFault("its index file of `\(asked.lowered)` names the crate `\(line.name.spelling)`")
            }
            if seen.insert(line.version.bare).inserted { lines.append(line) }
        }
        guard !lines.isEmpty else {
            throw UpstreamFault(
                parts.isEmpty ? "its index file is empty" : "its index file holds no version; is it a web page?")
        }
        self.lines = lines
        self.strangers = strangers
    }
}

/// What an upstream's file changes of what is held. Pure.
///
/// | the upstream's line                           | becomes                                               |
/// |-----------------------------------------------|-------------------------------------------------------|
/// | of a new version                              | added                                                 |
/// | with other bytes: a yank, a new field         | replaced                                              |
/// | gone                                          | removed; the checksum stays remembered                |
/// | with another checksum than ever before (I2)   | refused: the held line stays, a new one is left out   |
struct UpstreamMerge: Equatable {
    struct Held: Equatable {
        let checksum: Checksum
        let text: String
    }

    private(set) var added: [UpstreamLine] = []
    private(set) var replaced: [UpstreamLine] = []
    /// Numbers without build metadata.
    private(set) var removed: [String] = []
    private(set) var refused: [UpstreamLine] = []

    /// - Parameters:
    ///   - held: by number without build metadata, as `remembered`.
    ///   - remembered: the checksum of every version that ever was (I2).
    init(_ file: UpstreamFile, held: [String: Held], remembered: [String: Checksum]) {
        var seen: Set<String> = []
        for line in file.lines {
            let number = line.version.bare
            seen.insert(number)
            if let known = held[number]?.checksum ?? remembered[number], known != line.checksum {
                refused.append(line)
            } else if let old = held[number] {
                if old.text != line.text { replaced.append(line) }
            } else {
                added.append(line)
            }
        }
        removed = held.keys.filter { !seen.contains($0) }.sorted()
    }

    var changes: Bool { !added.isEmpty || !replaced.isEmpty || !removed.isEmpty }
}

/// An upstream gave no usable answer: what is held stays as it is.
struct UpstreamFault: Error, Hashable, CustomStringConvertible {
    /// Whom it concerns.
    enum Extent: Hashable {
        /// The name that was asked for.
        case name
        /// The whole upstream: it asked to be left alone, knows us no more, or can't be reached.
        case upstream
        /// Nobody was asked, since another answer had just said that; it is no news.
        case unasked
    }

    static let pauseSecondsDefault = 10
    static let pauseSecondsMax = 3600

    let description: String
    /// Until it is asked again.
    let pauseSeconds: Int
    let extent: Extent

    init(_ description: String, pauseSeconds: Int = UpstreamFault.pauseSecondsDefault, extent: Extent = .name) {
        self.description = String(description.prefix(300))
        self.pauseSeconds = min(max(pauseSeconds, 1), Self.pauseSecondsMax)
        self.extent = extent
    }
}
