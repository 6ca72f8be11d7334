import EdgeHTTP
import EdgeLedger
import Registry

/// Makes rows for the spool of what the journal holds: downloads one by one, index reads as sums. Pure.
///
/// An address is taken apart once for all its reads, because the same index files are read again and again.
struct ReadTally {
    private var index = PathCounts()
    private var pulls: [AccessBatch.Pull] = []
    /// Records that make no sense.
    private(set) var strange = 0

    mutating func add(_ record: UnsafeRawBufferPointer) {
        guard let read = ReadMark.Read(record) else {
            strange += 1
            return
        }
        guard read.isCrate else {
            index.add(read.path, day: read.at / 86_400)
            return
        }
        guard let (repository, file) = EdgePath.crate(String(decoding: read.path, as: UTF8.self)) else {
            strange += 1
            return
        }
        pulls.append(
            AccessBatch.Pull(
                at: read.at, repository: repository.description, crate: file.name.spelling,
                version: file.version.description, subject: read.subject, bytes: read.bytes, cache: read.cache,
                address: read.peer.text))
    }

    /// What was added, as rows; sums of the same crate are one row.
    mutating func rows() -> ReadSpool.Rows {
        var rows = ReadSpool.Rows()
        rows.pulls = pulls
        index.forEach { path, day, count in
            guard let (repository, file) = EdgePath.index(String(decoding: path, as: UTF8.self)) else {
                strange += count
                return
            }
            rows.reads.append(
                AccessBatch.Reads(
                    day: CalendarDay.text(ofUnix: day * 86_400), repository: repository.description,
                    crate: file.name, version: nil, count: count))
        }
        return rows
    }
}
