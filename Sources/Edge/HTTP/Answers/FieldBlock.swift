import CNghttp2

/// A header list as libnghttp2 reads it, in memory that stays where it is, so that sending copies nothing.
///
/// Whoever submits it must keep it alive until the frame has been serialised: libnghttp2 keeps the pointers.
final class FieldBlock: @unchecked Sendable {
    // Unchecked: the memory is written in `init` only, and freed when nobody holds the block any more.
    private let bytes: UnsafeMutableBufferPointer<UInt8>
    private let pairs: UnsafeMutableBufferPointer<nghttp2_nv>

    var count: Int { pairs.count }

    init(_ fields: [(name: String, value: String)]) {
        let size = fields.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count }
        bytes = .allocate(capacity: max(size, 1))
        pairs = .allocate(capacity: fields.count)
        var used = 0
        for (index, field) in fields.enumerated() {
            let name = Self.store(field.name, in: bytes, at: &used)
            let value = Self.store(field.value, in: bytes, at: &used)
            pairs.initializeElement(at: index, to: Self.pair(name, value, copiesValue: false))
        }
    }

    deinit {
        bytes.deallocate()
        pairs.deallocate()
    }

    /// Calls `body` with these fields and `date`.
    func withFields<Result>(date: [UInt8], _ body: (UnsafePointer<nghttp2_nv>, Int) -> Result) -> Result {
        withUnsafeTemporaryAllocation(of: nghttp2_nv.self, capacity: count + 1) { list in
            date.withUnsafeBufferPointer { date in
                _ = list.initialize(from: pairs)
                let value = UnsafeMutableBufferPointer(mutating: date)
                list.initializeElement(at: count, to: Self.pair(Self.dateName, value, copiesValue: true))
                // The list is never empty, and so has an address.
                return body(UnsafePointer(list.baseAddress!), count + 1)
            }
        }
    }

    private static var dateName: UnsafeMutableBufferPointer<UInt8> {
        let name: StaticString = "date"
        return UnsafeMutableBufferPointer(
            mutating: UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
    }

    private static func store(
        _ text: String, in bytes: UnsafeMutableBufferPointer<UInt8>, at used: inout Int
    ) -> UnsafeMutableBufferPointer<UInt8> {
        let place = UnsafeMutableBufferPointer(rebasing: bytes[used..<used + text.utf8.count])
        _ = place.initialize(from: text.utf8)
        used += text.utf8.count
        return place
    }

    private static func pair(
        _ name: UnsafeMutableBufferPointer<UInt8>, _ value: UnsafeMutableBufferPointer<UInt8>, copiesValue: Bool
    ) -> nghttp2_nv {
        var flags = NGHTTP2_NV_FLAG_NO_COPY_NAME.rawValue
        if !copiesValue { flags |= NGHTTP2_NV_FLAG_NO_COPY_VALUE.rawValue }
        return nghttp2_nv(
            name: name.baseAddress, value: value.baseAddress, namelen: name.count, valuelen: value.count,
            flags: UInt8(flags))
    }
}
