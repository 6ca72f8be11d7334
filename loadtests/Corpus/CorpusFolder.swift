import CrateFile
import FoundationEssentials
import Registry
import Synchronization

/// Writes a corpus as `longshore-origin import` takes it.
///
/// `index/` holds the index files in sparse layout, `crates/` the `.crate` files in folders of the same layout, and
/// `corpus.tsv` says what was made: name, versions, bytes of the index file, dependents; the most used crates first.
/// Nothing is synced: a corpus that a power cut ate is made again.
struct CorpusFolder: Sendable {
    /// What was written up to now.
    struct Tally: Hashable, Sendable, Encodable {
        var crates = 0
        var versions = 0
        var dependencies = 0
        var indexBytes = 0
        var crateBytes = 0
    }

    let path: String
    let plan: CorpusPlan
    private let tally = TallyBox()

    init(path: String, plan: CorpusPlan) {
        self.path = path
        self.plan = plan
    }

    var current: Tally { tally.current }

    /// - Throws: `BenchFailure` if the folder holds something already.
    func write(atOnce: Int) async throws {
        if let names = try? FileManager.default.contentsOfDirectory(atPath: path), !names.isEmpty {
            throw BenchFailure("\(path) is not empty; name a new folder, or remove it first")
        }
        let sizes = try await withThrowingTaskGroup(of: [(place: Int, bytes: Int)].self) { group in
            // Interleaved: the crates at the front of the plan are the large ones.
            for first in 0..<atOnce {
                group.addTask {
                    try stride(from: first, to: plan.crates.count, by: atOnce).map { place in
                        try Task.checkCancellation()
                        return (place, try write(place))
                    }
                }
            }
            return try await group.reduce(into: [Int](repeating: 0, count: plan.crates.count)) { sizes, part in
                for (place, bytes) in part { sizes[place] = bytes }
            }
        }
        try writeTable(sizes)
    }

    /// - Returns: the bytes of the index file.
    private func write(_ place: Int) throws -> Int {
        let size = plan.crates[place]
        let file = size.name.indexPath.description
        let folder = String(file.prefix(file.utf8.count - size.name.lowered.utf8.count - 1))
        try makeFolder("index/" + folder)
        try makeFolder("crates/" + folder)
        let crate = try SyntheticCrate(place, of: plan)
        var lines: [UInt8] = []
        var crateBytes = 0
        for number in 0..<size.versions {
            let made = try crate.version(number)
            lines += made.line.jsonBytes + [UInt8(ascii: "\n")]
            crateBytes += made.crate.count
            try put(made.crate, at: "crates/\(folder)/\(size.name.spelling)-\(made.line.version).crate")
        }
        try put(lines, at: "index/" + file)
        tally.add(
            Tally(
                crates: 1, versions: size.versions, dependencies: plan.dependencies[place].count,
                indexBytes: lines.count, crateBytes: crateBytes))
        return lines.count
    }

    private func writeTable(_ bytes: [Int]) throws {
        let rows = zip(plan.crates.indices, plan.dependents).map { place, dependents in
            "\(plan.crates[place].name.spelling)\t\(plan.crates[place].versions)\t\(bytes[place])\t\(dependents)\n"
        }
        try put(Array(rows.joined().utf8), at: "corpus.tsv")
    }

    private func makeFolder(_ inner: String) throws {
        let folder = "\(path)/\(inner)"
        do {
            try tally.once(folder) {
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            }
        } catch {
            throw BenchFailure("the folder \(folder) can't be made: \(error)")
        }
    }

    private func put(_ bytes: [UInt8], at inner: String) throws {
        do {
            let sink = try FileSink(path: "\(path)/\(inner)")
            try bytes.withUnsafeBytes(sink.write)
        } catch {
            throw BenchFailure("\(error); is there room for the corpus?")
        }
    }
}

/// What the writers share.
private final class TallyBox: Sendable {
    private let tally = Mutex(CorpusFolder.Tally())
    private let folders = Mutex<Set<String>>([])

    var current: CorpusFolder.Tally { tally.withLock { $0 } }

    func add(_ part: CorpusFolder.Tally) {
        tally.withLock {
            $0.crates += part.crates
            $0.versions += part.versions
            $0.dependencies += part.dependencies
            $0.indexBytes += part.indexBytes
            $0.crateBytes += part.crateBytes
        }
    }

    /// Under the lock: who finds the folder noted also finds it made.
    func once(_ folder: String, _ make: () throws -> Void) throws {
        try folders.withLock { folders in
            guard !folders.contains(folder) else { return }
            try make()
            folders.insert(folder)
        }
    }
}
