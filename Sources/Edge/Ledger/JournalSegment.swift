import Glibc

/// One file of the read journal, mapped into memory: appending is a copy of some hundred bytes, no system call.
///
/// | bytes       | what                                                                         |
/// |-------------|------------------------------------------------------------------------------|
/// | 0 ..< 8     | `LSREADS1`                                                                   |
/// | 8 ..< 16    | the segment's number, little-endian                                          |
/// | then, again and again, at multiples of 8: |                                                |
/// | 4           | length of the record, little-endian; 0: nothing was written from here on     |
/// | 4           | check over number, place and record                                          |
/// | length      | the record, filled up with zeros to a multiple of 8                          |
///
/// The mapping is shared, so what was written survives `kill -9` of the process with the system's page cache. A power
/// cut may take the last moments; the check tells what is whole. All blocks are allocated beforehand, because a page
/// that finds no room on disk would kill the process.
final class JournalSegment: @unchecked Sendable {
    // Unchecked: the journal writes behind `end` under its lock, and what lies before it never changes again.

    static let headBytes = 16
    static let recordBytesMax = 16 << 10
    private static let magic: [UInt8] = Array("LSREADS1".utf8)

    let number: UInt64
    let path: String
    let bytes: Int
    private let base: UnsafeMutableRawPointer

    /// Makes the file and writes to each page once, so that appending meets no page that is not there yet.
    init(creating path: String, number: UInt64, bytes: Int) throws(LedgerFailure) {
        let file = try LedgerFailure.descriptor(
            open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o640), "create", path)
        let refused = posix_fallocate(file, 0, off_t(bytes))
        guard refused == 0 else {
            close(file)
            unlink(path)
            throw LedgerFailure(action: "make room for", path: path, code: refused)
        }
        base = try Self.map(file, bytes, path)
        self.number = number
        self.path = path
        self.bytes = bytes
        for place in stride(from: 0, to: bytes, by: 4096) {
            base.storeBytes(of: 0, toByteOffset: place, as: UInt8.self)
        }
        base.copyMemory(from: Self.magic, byteCount: Self.magic.count)
        base.storeBytes(of: number.littleEndian, toByteOffset: 8, as: UInt64.self)
    }

    /// Opens a file of an earlier run.
    ///
    /// - Returns: nil if it is none of ours: too short, or another beginning.
    init?(opening path: String) throws(LedgerFailure) {
        let file = try LedgerFailure.descriptor(open(path, O_RDWR | O_CLOEXEC), "open", path)
        var facts = stat()
        guard fstat(file, &facts) == 0, facts.st_size >= Self.headBytes, facts.st_size <= 1 << 30 else {
            close(file)
            return nil
        }
        let bytes = Int(facts.st_size)
        let base = try Self.map(file, bytes, path)
        guard Self.magic.indices.allSatisfy({ base.load(fromByteOffset: $0, as: UInt8.self) == Self.magic[$0] }) else {
            munmap(base, bytes)
            return nil
        }
        self.base = base
        self.path = path
        self.bytes = bytes
        number = UInt64(littleEndian: base.load(fromByteOffset: 8, as: UInt64.self))
    }

    deinit { munmap(base, bytes) }

    /// Writes a record at `place`.
    ///
    /// - Returns: where the next one goes; nil if there is no room.
    func append(_ count: Int, at place: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Void) -> Int? {
        let next = place + 8 + Self.padded(count)
        // Room for the next length, so that a reader always finds an end.
        guard count > 0, count <= Self.recordBytesMax, next + 8 <= bytes else { return nil }
        let record = UnsafeMutableRawBufferPointer(start: base + place + 8, count: Self.padded(count))
        // The last word first: it is where the padding is.
        record.storeBytes(of: 0, toByteOffset: record.count - 8, as: UInt64.self)
        fill(UnsafeMutableRawBufferPointer(rebasing: record[..<count]))
        let check = check(UnsafeRawBufferPointer(record), at: place, count)
        base.storeBytes(of: check.littleEndian, toByteOffset: place + 4, as: UInt32.self)
        // Last, though the check makes the order of no account.
        base.storeBytes(of: UInt32(count).littleEndian, toByteOffset: place, as: UInt32.self)
        return next
    }

    enum Found {
        /// The bytes are valid as long as the segment lives.
        case record(UnsafeRawBufferPointer, next: Int)
        case end
        /// Something stands here that was not written whole; what lies behind can't be found.
        case damage
    }

    func read(at place: Int) -> Found {
        guard place >= Self.headBytes, place % 8 == 0, place + 8 <= bytes else { return .end }
        let count = Int(UInt32(littleEndian: base.load(fromByteOffset: place, as: UInt32.self)))
        if count == 0 { return .end }
        let next = place + 8 + Self.padded(count)
        guard count <= Self.recordBytesMax, next <= bytes else { return .damage }
        let record = UnsafeRawBufferPointer(start: base + place + 8, count: Self.padded(count))
        let check = UInt32(littleEndian: base.load(fromByteOffset: place + 4, as: UInt32.self))
        guard self.check(record, at: place, count) == check else { return .damage }
        return .record(UnsafeRawBufferPointer(rebasing: record[..<count]), next: next)
    }

    func remove() { unlink(path) }

    private func check(_ record: UnsafeRawBufferPointer, at place: Int, _ count: Int) -> UInt32 {
        var mix = number &* 0x9E37_79B9_7F4A_7C15 ^ UInt64(place) ^ UInt64(count) << 32
        for word in stride(from: 0, to: record.count, by: 8) {
            mix = (mix ^ record.load(fromByteOffset: word, as: UInt64.self)) &* 0xD6E8_FEB8_6659_FD93
            mix ^= mix >> 32
        }
        return UInt32(truncatingIfNeeded: mix)
    }

    private static func padded(_ count: Int) -> Int { (count + 7) & ~7 }

    /// Closes the descriptor in every case: the mapping does not need it.
    private static func map(_ file: Int32, _ bytes: Int, _ path: String) throws(LedgerFailure)
        -> UnsafeMutableRawPointer
    {
        defer { close(file) }
        guard let base = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0), base != MAP_FAILED else {
            throw LedgerFailure(action: "map", path: path, code: errno)
        }
        return base
    }
}

/// What the system refused, in its own words.
struct LedgerFailure: Error, CustomStringConvertible {
    let action: String
    let path: String
    let code: Int32

    var description: String { "can't \(action) \(path): \(String(cString: strerror(code)))" }

    static func descriptor(_ number: Int32, _ action: String, _ path: String) throws(LedgerFailure) -> Int32 {
        guard number >= 0 else { throw LedgerFailure(action: action, path: path, code: errno) }
        return number
    }
}
