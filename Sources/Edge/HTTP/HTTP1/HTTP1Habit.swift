#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The fields of a connection's last plain request: a client sends the same ones with each, and to read them anew would be an
/// eighth of what a hit costs outside of the kernel.
///
/// A head with these fields, byte for byte but for the value of `if-none-match`, would be read to the same end. Its request
/// line is always read.
struct HTTP1Habit {
    /// All behind the request line but the value of `if-none-match`. Empty: nothing is known.
    private var bytes: [UInt8] = []
    /// Where in them that value belongs; nil without one.
    private var tagPlace: Int?
    private var acceptsGzip = false

    /// Longer fields are read each time: a connection that waits for nothing keeps these bytes.
    private static let bytesMax = 1 << 10
    private static let tagBytesMax = 256

    /// Remembers the fields of a head that was read whole and gave a glimpse.
    mutating func learn(_ head: UnsafeRawBufferPointer, _ draft: HTTP1Draft) {
        bytes.removeAll(keepingCapacity: true)
        guard let start = Self.fieldsStart(head), head.count - start <= Self.bytesMax else { return }
        acceptsGzip = draft.encodings.acceptsGzip
        tagPlace = draft.ifNoneMatch.map { $0.lowerBound - start }
        guard let tag = draft.ifNoneMatch else { return bytes.append(contentsOf: head[start...]) }
        guard head[tag.upperBound] == 0x0D else { return }
        bytes.append(contentsOf: head[start..<tag.lowerBound])
        bytes.append(contentsOf: head[tag.upperBound...])
    }

    /// The glimpse of a head at the front of `input` whose fields are the known ones.
    ///
    /// - Returns: nil if it has to be read in full.
    func glimpse(of input: UnsafeRawBufferPointer) -> (EdgeGlimpse, count: Int)? {
        guard !bytes.isEmpty, let start = Self.fieldsStart(input), let fields = match(input, from: start) else {
            return nil
        }
        var draft = HTTP1Draft()
        let line = 0..<start - 2
        guard line.count <= HeadLimits.requestLineBytesMax, (try? draft.readRequestLine(line, of: input)) != nil,
            let glimpse = draft.glimpse(of: input)
        else { return nil }
        return (EdgeGlimpse(path: glimpse.path, ifNoneMatch: fields.tag, acceptsGzip: acceptsGzip), fields.end)
    }

    private func match(
        _ input: UnsafeRawBufferPointer, from start: Int
    ) -> (tag: UnsafeRawBufferPointer?, end: Int)? {
        bytes.withUnsafeBytes { known in
            let split = tagPlace ?? known.count
            let middle = start + split
            guard Self.has(known[..<split], at: start, in: input) else { return nil }
            guard tagPlace != nil else { return (nil, middle) }
            guard let tag = Self.tag(at: middle, in: input),
                Self.has(known[split...], at: middle + tag.count, in: input)
            else { return nil }
            return (tag, start + known.count + tag.count)
        }
    }

    /// Where the fields begin; nil while the request line is open or ends in a way of its own.
    private static func fieldsStart(_ bytes: UnsafeRawBufferPointer) -> Int? {
        guard let lineFeed = bytes.place(of: 0x0A, in: 0..<bytes.count), lineFeed > 1, bytes[lineFeed - 1] == 0x0D
        else { return nil }
        return lineFeed + 1
    }

    /// A value that needs no trimming, up to the end of its line.
    private static func tag(at place: Int, in bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        guard let end = bytes.place(of: 0x0D, in: place..<bytes.count), end > place, end - place <= tagBytesMax else {
            return nil
        }
        let value = UnsafeRawBufferPointer(rebasing: bytes[place..<end])
        return value.isFieldValue && value.trimmed.count == value.count ? value : nil
    }

    private static func has(
        _ part: Slice<UnsafeRawBufferPointer>, at place: Int, in bytes: UnsafeRawBufferPointer
    ) -> Bool {
        let part = UnsafeRawBufferPointer(rebasing: part)
        guard bytes.count - place >= part.count, let base = bytes.baseAddress, let known = part.baseAddress else {
            return false
        }
        return memcmp(known, base + place, part.count) == 0
    }
}
