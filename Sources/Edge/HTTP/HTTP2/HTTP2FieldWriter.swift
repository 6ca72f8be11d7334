/// Writes answers' fields for one connection, and knows what stands in the client's table.
///
/// Nothing is ever pushed out of the table: when it is full, fields are written in full. So places are a subtraction.
struct HTTP2FieldWriter {
    private var inserted = 0
    private var tableBytes = 0
    /// By the number of a shared field: how many had been inserted with it; 0 if it was not.
    private var places: [UInt16] = []
    /// The client wants a smaller table than everybody: it gets none.
    private var isOff = false
    private var datePlace = 0
    private var dateSecond = 0
    /// By the number of the shared fields: how they and the date were written last.
    private var runs: [Run] = []

    /// Shared fields and a date of which each is a single byte: the place in the client's table.
    private struct Run {
        /// What `inserted` and `dateSecond` were then; as long as they are the same, so are the bytes.
        var inserted = -1
        var second = 0
        var bytes: UInt64 = 0
        var count = 0
    }

    private static let tableBytesMax = 4096
    private static let dateTableBytes = 4 + 29 + 32
    /// Dates may not fill the table: there is a new one every second.
    private static let dateRoom = 1536

    /// How many bytes `write` may need.
    static func bytesMax(_ block: FieldBlock) -> Int { block.bytesMax + 3 * block.shared.fields.count + 64 }

    /// - Parameters:
    ///   - space: at least `bytesMax(block)` bytes.
    ///   - limit: of the table, as the client's SETTINGS say.
    /// - Returns: how many bytes were written.
    mutating func write(
        _ block: FieldBlock, date: HTTPDate, limit: Int, to space: UnsafeMutableRawPointer
    ) -> Int {
        var count = 0
        if limit < Self.tableBytesMax, !isOff {
            isOff = true
            // "The table has no bytes": must be said before the first field behind the client's wish (RFC 7541, 4.2).
            space.storeBytes(of: 0x20, as: UInt8.self)
            count = 1
        }
        count += Self.copy(block.own, to: space + count)
        return count + write(block.shared, date, to: space + count)
    }

    private mutating func write(_ shared: SharedFields, _ date: HTTPDate, to space: UnsafeMutableRawPointer) -> Int {
        if let number = shared.number, number < runs.count {
            let run = runs[number]
            if run.inserted == inserted, run.second == date.second, !isOff {
                space.storeBytes(of: run.bytes, as: UInt64.self)
                return run.count
            }
        }
        var count = 0
        for field in shared.fields { count += write(field, to: space + count) }
        count += write(date, to: space + count)
        if let number = shared.number, count == shared.fields.count + 1, count <= 8 { keepRun(number, count, space) }
        return count
    }

    /// A byte for each field is all that was written, so it can only be places.
    private mutating func keepRun(_ number: Int, _ count: Int, _ space: UnsafeMutableRawPointer) {
        if runs.isEmpty { runs = Array(repeating: Run(), count: SharedFields.countMax) }
        var bytes: UInt64 = 0
        withUnsafeMutableBytes(of: &bytes) { $0.baseAddress?.copyMemory(from: space, byteCount: count) }
        runs[number] = Run(inserted: inserted, second: dateSecond, bytes: bytes, count: count)
    }

    private mutating func write(_ field: SharedField, to space: UnsafeMutableRawPointer) -> Int {
        if places.isEmpty { places = Array(repeating: 0, count: SharedField.countMax) }
        let place = Int(places[field.number])
        if place > 0, !isOff { return Self.index(HPACK.dynamicStart + inserted - place, to: space) }
        guard insert(field.tableBytes) else { return Self.copy(field.plain, to: space) }
        places[field.number] = UInt16(inserted)
        return Self.copy(field.literal, to: space)
    }

    private mutating func write(_ date: HTTPDate, to space: UnsafeMutableRawPointer) -> Int {
        if datePlace > 0, dateSecond == date.second, !isOff {
            return Self.index(HPACK.dynamicStart + inserted - datePlace, to: space)
        }
        let isNew = tableBytes + Self.dateTableBytes <= Self.dateRoom && insert(Self.dateTableBytes)
        if isNew {
            datePlace = inserted
            dateSecond = date.second
            space.storeBytes(of: 0x40 | UInt8(HPACK.date), as: UInt8.self)
        } else {
            datePlace = 0
            space.storeBytes(of: 0x0F, as: UInt8.self)
            space.storeBytes(of: UInt8(HPACK.date - 15), toByteOffset: 1, as: UInt8.self)
        }
        let head = isNew ? 1 : 2
        space.storeBytes(of: UInt8(date.text.count), toByteOffset: head, as: UInt8.self)
        return head + 1 + Self.copy(date.text, to: space + head + 1)
    }

    private mutating func insert(_ bytes: Int) -> Bool {
        guard !isOff, tableBytes + bytes <= Self.tableBytesMax else { return false }
        tableBytes += bytes
        inserted += 1
        return true
    }

    private static func index(_ place: Int, to space: UnsafeMutableRawPointer) -> Int {
        guard place >= 127 else {
            space.storeBytes(of: 0x80 | UInt8(place), as: UInt8.self)
            return 1
        }
        var bytes: [UInt8] = []
        HPACK.appendNumber(place, first: 0x80, bits: 7, to: &bytes)
        return copy(bytes, to: space)
    }

    private static func copy(_ bytes: [UInt8], to space: UnsafeMutableRawPointer) -> Int {
        bytes.withUnsafeBytes { bytes in
            if let base = bytes.baseAddress { space.copyMemory(from: base, byteCount: bytes.count) }
            return bytes.count
        }
    }
}
