import CrateFile
import Registry

/// What is known of one crate of a real registry: its name and three numbers.
struct CrateSize: Hashable, Sendable {
    let name: CrateName
    let versions: Int
    /// Of the index file.
    let bytes: Int
    /// How many crates depend on it.
    let dependents: Int
}

/// The table of sizes: a line a crate, `name ⇥ versions ⇥ bytes ⇥ dependents`, packed with gzip or plain.
enum CrateSizes {
    static let tableBytesMax = 256 << 20
    static let versionsMax = 100_000

    /// - Throws: `BenchFailure` with the line that can't be read.
    static func read(_ path: String) throws -> [CrateSize] {
        let bytes: [UInt8]
        do {
            bytes = path.hasSuffix(".gz") ? try unpacked(FileSource(path: path)) : try all(FileSource(path: path))
        } catch let failure as BenchFailure {
            throw failure
        } catch {
            throw BenchFailure("\(path) can't be read: \(error); check --sizes")
        }
        return try parse(String(decoding: bytes, as: UTF8.self))
    }

    static func parse(_ text: String) throws(BenchFailure) -> [CrateSize] {
        var sizes: [CrateSize] = []
        var seen: Set<String> = []
        for (number, line) in text.split(separator: "\n").enumerated() {
            let cells = line.split(separator: "\t", omittingEmptySubsequences: false)
            guard cells.count == 4, let name = try? CrateName(String(cells[0])), let versions = Int(cells[1]),
                let bytes = Int(cells[2]), let dependents = Int(cells[3]), (1...versionsMax).contains(versions),
                (1...tableBytesMax).contains(bytes), dependents >= 0, dependents <= 1 << 32
            else {
                throw BenchFailure(
                    "line \(number + 1) of the sizes is not `name, versions, bytes, dependents` between tabs")
            }
            // Names that differ in case or `-` only are one crate to a registry.
            guard seen.insert(name.identity).inserted else { continue }
            sizes.append(CrateSize(name: name, versions: versions, bytes: bytes, dependents: dependents))
        }
        guard !sizes.isEmpty else { throw BenchFailure("the sizes name no crate; check --sizes") }
        return sizes
    }

    /// So many crates, evenly spaced in the order of their bytes: each quantile of the sample is that of the table.
    ///
    /// In the order of their dependents, most first: the order in which crates may depend on each other.
    static func sample(_ sizes: [CrateSize], count: Int?) -> [CrateSize] {
        let ordered = sizes.sorted { ($0.bytes, $0.name.lowered) < ($1.bytes, $1.name.lowered) }
        let count = min(count ?? ordered.count, ordered.count)
        let chosen = (0..<count).map { ordered[($0 * 2 + 1) * ordered.count / (count * 2)] }
        return chosen.sorted { ($1.dependents, $0.name.lowered) < ($0.dependents, $1.name.lowered) }
    }

    private static func unpacked(_ file: FileSource) throws -> [UInt8] {
        try all(Gunzip(file, unpackedBytesMax: tableBytesMax))
    }

    private static func all(_ source: some ByteSource) throws -> [UInt8] {
        var source = source
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = try part.withUnsafeMutableBytes { try source.read(into: $0) }
            if count == 0 { return bytes }
            bytes += part[..<count]
            guard bytes.count <= tableBytesMax else {
                throw BenchFailure("the sizes are larger than \(tableBytesMax) bytes; check --sizes")
            }
        }
    }
}
