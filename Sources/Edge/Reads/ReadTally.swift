import EdgeLedger
import Registry

/// Makes rows for the spool of what the journal holds: downloads one by one, index reads as sums. Pure.
///
/// An address is taken apart once for all its reads, because the same index files are read again and again.
struct ReadTally {
    private struct Key: Hashable {
        let day: Int
        let path: [UInt8]

        /// At one go: an array hashes itself byte by byte.
        func hash(into hasher: inout Hasher) {
            hasher.combine(day)
            path.withUnsafeBytes { hasher.combine(bytes: $0) }
        }
    }

    private var index: [Key: Int] = [:]
    private var pulls: [AccessBatch.Pull] = []
    /// Records that make no sense.
    private(set) var strange = 0

    mutating func add(_ record: UnsafeRawBufferPointer) {
        guard let read = ReadMark.Read(record) else {
            strange += 1
            return
        }
        guard read.isCrate else {
            index[Key(day: read.at / 86_400, path: Array(read.path)), default: 0] += 1
            return
        }
        guard let (repository, file) = EdgePath.crate(String(decoding: read.path, as: UTF8.self)) else {
            strange += 1
            return
        }
        pulls.append(
            AccessBatch.Pull(
                at: read.at, repository: repository.description, crate: file.name.spelling,
                version: file.version.description, subject: read.subject, bytes: read.bytes, cache: read.cache))
    }

    /// What was added, as rows; sums of the same crate are one row.
    mutating func rows() -> ReadSpool.Rows {
        var rows = ReadSpool.Rows()
        rows.pulls = pulls
        for (key, count) in index {
            guard let (repository, file) = EdgePath.index(String(decoding: key.path, as: UTF8.self)) else {
                strange += count
                continue
            }
            rows.reads.append(
                AccessBatch.Reads(
                    day: CalendarDay.text(ofUnix: key.day * 86_400), repository: repository.description,
                    crate: file.name, version: nil, count: count))
        }
        return rows
    }
}
