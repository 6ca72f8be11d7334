import EdgeHTTP
import Glibc
import NIOCore
import Registry

/// One read as the journal keeps it: what the address says is left as bytes, and read when nobody waits.
///
/// | bytes  | what                                                   |
/// |--------|--------------------------------------------------------|
/// | 1      | 1: an index file, 2: a crate                           |
/// | 1      | 0: HIT, 1: MISS, 2: STALE                              |
/// | 1      | length of the subject                                  |
/// | 1      | 1: of a crate, from where; 0: nobody knows             |
/// | 4      | nothing                                                |
/// | 8      | seconds since 1970                                     |
/// | 8      | bytes of the body                                      |
/// | 16     | the client's address, if byte 3 says so                |
/// | …      | the subject, then the path without its token           |
///
/// Numbers are in this machine's byte order: the journal never leaves it.
struct ReadMark {
    static let headBytes = 24
    static let subjectBytesMax = 64
    private static let peerBytes = 16

    let isCrate: Bool
    let cache: UInt8
    let bytes: Int
    let subject: String
    let path: ByteBuffer
    /// `unknown` for index files, of which only the number is told.
    let peer: EdgePeer

    /// - Returns: nil for what is not counted: HEAD, refusals, absences, config.json.
    init?(_ request: EdgeRequest, _ outcome: EdgeOutcome) {
        guard request.method == .get else { return nil }
        switch (RouteLabel(rawValue: outcome.label), outcome.status) {
        case (.index, 200), (.index, 304): isCrate = false
        case (.crate, 200): isCrate = true
        default: return nil
        }
        guard let key = EdgePath.key(of: request.path) else { return nil }
        path = key
        cache = outcome.cache == "HIT" ? 0 : outcome.cache == "MISS" ? 1 : 2
        bytes = outcome.bytes
        subject = outcome.credit.utf8.count <= Self.subjectBytesMax ? outcome.credit : ""
        peer = isCrate ? request.peer : .unknown
    }

    private var hasPeer: Bool { peer != .unknown }

    var size: Int {
        Self.headBytes + (hasPeer ? Self.peerBytes : 0) + subject.utf8.count + path.readableBytes
    }

    /// - Parameter record: exactly `size` bytes.
    func write(to record: UnsafeMutableRawBufferPointer) {
        Self.write(isCrate, cache, UInt8(subject.utf8.count), bytes, to: record)
        var place = Self.headBytes
        if hasPeer {
            record[3] = 1
            record.storeBytes(of: peer.high, toByteOffset: place, as: UInt64.self)
            record.storeBytes(of: peer.low, toByteOffset: place + 8, as: UInt64.self)
            place += Self.peerBytes
        }
        for byte in subject.utf8 {
            record[place] = byte
            place += 1
        }
        path.withUnsafeReadableBytes { path in
            UnsafeMutableRawBufferPointer(rebasing: record[place...]).copyMemory(from: path)
        }
    }

    /// The mark of an index file that was held, read by nobody known.
    ///
    /// - Parameter record: exactly `headBytes` and those of the path.
    static func write(indexHit path: UnsafeRawBufferPointer, bytes: Int, to record: UnsafeMutableRawBufferPointer) {
        write(false, 0, 0, bytes, to: record)
        UnsafeMutableRawBufferPointer(rebasing: record[headBytes...]).copyMemory(from: path)
    }

    private static func write(
        _ isCrate: Bool, _ cache: UInt8, _ subjectBytes: UInt8, _ bytes: Int,
        to record: UnsafeMutableRawBufferPointer
    ) {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME_COARSE, &now)
        record[0] = isCrate ? 2 : 1
        record[1] = cache
        record[2] = subjectBytes
        for place in 3..<8 { record[place] = 0 }
        record.storeBytes(of: Int64(now.tv_sec), toByteOffset: 8, as: Int64.self)
        record.storeBytes(of: Int64(bytes), toByteOffset: 16, as: Int64.self)
    }

    /// A record as it is read again.
    struct Read {
        let isCrate: Bool
        let cache: String
        let at: Int
        let bytes: Int
        let subject: String?
        let peer: EdgePeer
        /// Valid as long as the record's memory.
        let path: UnsafeRawBufferPointer

        /// - Returns: nil for what no `write` has left.
        init?(_ record: UnsafeRawBufferPointer) {
            guard record.count >= ReadMark.headBytes, (1...2).contains(record[0]), record[1] <= 2, record[3] <= 1
            else { return nil }
            let start = ReadMark.headBytes + (record[3] == 1 ? ReadMark.peerBytes : 0)
            guard record.count > start + Int(record[2]) else { return nil }
            isCrate = record[0] == 2
            cache = ["HIT", "MISS", "STALE"][Int(record[1])]
            at = Int(record.loadUnaligned(fromByteOffset: 8, as: Int64.self))
            bytes = Int(record.loadUnaligned(fromByteOffset: 16, as: Int64.self))
            peer =
                record[3] == 1
                ? EdgePeer(
                    high: record.loadUnaligned(fromByteOffset: ReadMark.headBytes, as: UInt64.self),
                    low: record.loadUnaligned(fromByteOffset: ReadMark.headBytes + 8, as: UInt64.self)) : .unknown
            let end = start + Int(record[2])
            let subject = String(decoding: record[start..<end], as: UTF8.self)
            self.subject = subject.isEmpty ? nil : subject
            path = UnsafeRawBufferPointer(rebasing: record[end...])
        }
    }
}
