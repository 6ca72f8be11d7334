package import CrateFile
import Registry

/// A whole advisory database while it is read, file by file, whichever of its forms it has.
///
/// | file                                                     | is read as              |
/// |----------------------------------------------------------|-------------------------|
/// | `crates/NAME/ID.md`, `rust/NAME/ID.md`, at any depth      | RustSec's Markdown      |
/// | `RUSTSEC-….json`, `CVE-….json`, `GHSA-….json`             | OSV                     |
/// | anything else                                            | nothing                 |
package struct AdvisoryDatabase: Sendable {
    package static let fileBytesMax = 1 << 20
    package static let advisoriesMax = 100_000
    package static let archiveBytesMax = 512 << 20
    package static let problemsMax = 100

    /// By id.
    package private(set) var advisories: [String: Advisory] = [:]
    /// Files that look like advisories and can't be read, each with its reason; at most `problemsMax` are kept.
    package private(set) var problems: [String] = []
    /// All of them.
    package private(set) var problemCount = 0

    package init() {}

    /// Which reader a path belongs to; nil for files that are no advisories.
    package enum Form: Hashable, Sendable {
        case markdown(Advisory.Collection)
        case osv

        package init?(path: String) {
            let parts = path.split(separator: "/")
            guard let name = parts.last else { return nil }
            if name.hasSuffix(".json"), ["RUSTSEC-", "CVE-", "GHSA-"].contains(where: name.hasPrefix) {
                self = .osv
                return
            }
            guard name.hasSuffix(".md"), parts.count >= 3,
                let collection = Advisory.Collection(rawValue: String(parts[parts.count - 3]))
            else { return nil }
            self = .markdown(collection)
        }
    }

    /// Reads one file; what is wrong with it is a problem of that file only.
    ///
    /// - Throws: `TooLarge` if there are more advisories than anybody has.
    package mutating func add(_ bytes: [UInt8], path: String, form: Form) throws(TooLarge) {
        do {
            guard bytes.count <= Self.fileBytesMax else { throw Advisory.Invalid("it has more than 1 MiB") }
            let advisory = try Self.read(bytes, form)
            guard !advisory.isDraft else { return }
            if let other = advisories.updateValue(advisory, forKey: advisory.id), other != advisory {
                note("\(path): \(advisory.id) stands in the database twice, with different content")
            }
        } catch {
            note("\(path): \(error)")
        }
        guard advisories.count <= Self.advisoriesMax else { throw TooLarge() }
    }

    private mutating func note(_ problem: String) {
        problemCount += 1
        if problems.count < Self.problemsMax { problems.append(String(problem.prefix(500))) }
    }

    private static func read(_ bytes: [UInt8], _ form: Form) throws(Advisory.Invalid) -> Advisory {
        switch form {
        case .osv: return try OSVAdvisory.read(bytes)
        case .markdown(let collection):
            guard let text = String(validating: bytes, as: UTF8.self) else { throw .init("it is not UTF-8") }
            return try MarkdownAdvisory.read(text, in: collection)
        }
    }

    /// Reads a tar archive, packed with gzip or not, in one pass; only advisories are ever held in memory.
    ///
    /// - Throws: `Objection` for a broken archive, `FileFailure`, `TooLarge`.
    package mutating func add(archive path: String) throws {
        let isPacked = try FileSource(path: path).startsAsGzip()
        if isPacked {
            try add(tar: Gunzip(FileSource(path: path), unpackedBytesMax: Self.archiveBytesMax))
        } else {
            let file = try FileSource(path: path)
            guard file.bytesCount <= Self.archiveBytesMax else { throw TooLarge() }
            try add(tar: file)
        }
    }

    private mutating func add(tar source: some ByteSource) throws {
        var archive = TarReader(source)
        while let entry = try archive.next() {
            guard entry.kind == .file, let form = Form(path: entry.path) else { continue }
            guard entry.bytesCount <= Self.fileBytesMax else {
                note("\(entry.path): it has more than 1 MiB")
                continue
            }
            try add(archive.body(bytesMax: Self.fileBytesMax), path: entry.path, form: form)
        }
    }

    package struct TooLarge: Error, CustomStringConvertible {
        package var description: String {
            "the advisory database has more than \(AdvisoryDatabase.advisoriesMax) advisories or "
                + "\(AdvisoryDatabase.archiveBytesMax >> 20) MiB: is it the right one?"
        }
    }
}

extension FileSource {
    /// Takes the first two bytes of the stream.
    fileprivate func startsAsGzip() throws -> Bool {
        var head: [UInt8] = [0, 0]
        return try head.withUnsafeMutableBytes { (buffer: UnsafeMutableRawBufferPointer) throws -> Bool in
            for place in 0..<2 {
                let byte = UnsafeMutableRawBufferPointer(rebasing: buffer[place..<(place + 1)])
                guard try read(into: byte) == 1 else { return false }
            }
            return buffer[0] == 0x1F && buffer[1] == 0x8B
        }
    }
}
