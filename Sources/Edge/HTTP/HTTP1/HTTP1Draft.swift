/// What has been read of a head so far, as places in its bytes.
struct HTTP1Draft {
    private(set) var method = EdgeRequest.Method.other
    /// Empty for the root.
    private(set) var path = 0..<0
    private(set) var query: Range<Int>?
    private(set) var isHTTP11 = true
    private(set) var authorization: Range<Int>?
    private(set) var ifNoneMatch: Range<Int>?
    private(set) var furtherIfNoneMatch: [Range<Int>] = []
    private(set) var encodings = AcceptEncoding()
    private(set) var closes = false

    private var hasHost = false
    private var hasContentLength = false
    private var hasBody = false
    private var hasTransferEncoding = false
    private var offersH2C = false
    private var connectionNamesUpgrade = false
    private var connectionNamesSettings = false
    private var settings: Range<Int>?
    private var settingsCount = 0

    /// Where `http2-settings` stands, if all three parts of the request to upgrade are there (RFC 7540, 3.2).
    var upgradeSettings: Range<Int>? {
        offersH2C && connectionNamesUpgrade && connectionNamesSettings && settingsCount == 1 && isHTTP11
            ? settings : nil
    }

    /// Nothing but a path is asked for, by a client that speaks on in HTTP/1.1.
    var isPlainGet: Bool {
        method == .get && query == nil && authorization == nil && furtherIfNoneMatch.isEmpty && isHTTP11 && !closes
            && !offersH2C
    }

    /// Checks that need the whole head.
    func finish() throws(Refusal) {
        if isHTTP11, !hasHost { throw .missingHost }
        if hasTransferEncoding { throw .transferEncoding }
        if hasBody { throw .body }
    }

    // MARK: The request line

    mutating func readRequestLine(_ line: Range<Int>, of bytes: UnsafeRawBufferPointer) throws(Refusal) {
        guard let first = bytes.place(of: 0x20, in: line), let last = bytes[line].lastIndex(of: 0x20), first < last
        else { throw .badRequestLine }
        try readVersion(UnsafeRawBufferPointer(rebasing: bytes[last + 1..<line.upperBound]))
        try readMethod(UnsafeRawBufferPointer(rebasing: bytes[line.lowerBound..<first]))
        try readTarget(first + 1..<last, of: bytes)
    }

    private mutating func readVersion(_ text: UnsafeRawBufferPointer) throws(Refusal) {
        if text.isExactly("HTTP/1.1") { return }
        isHTTP11 = false
        if text.isExactly("HTTP/1.0") { return }
        throw text.starts(with: "HTTP/".utf8) ? .badVersion : .badRequestLine
    }

    private mutating func readMethod(_ text: UnsafeRawBufferPointer) throws(Refusal) {
        if text.isExactly("GET") {
            method = .get
        } else if text.isExactly("HEAD") {
            method = .head
        } else if text.isEmpty || !text.allSatisfy({ ASCIISet.token.contains($0) }) {
            throw .badRequestLine
        }
    }

    private mutating func readTarget(_ range: Range<Int>, of bytes: UnsafeRawBufferPointer) throws(Refusal) {
        guard let first = bytes[range].first else { throw .badRequestLine }
        guard UnsafeRawBufferPointer(rebasing: bytes[range]).isTarget else {
            throw bytes[range].contains(0x20) ? .badRequestLine : .badTarget
        }
        if first == UInt8(ascii: "/") {
            split(range, of: bytes)
        } else if first == UInt8(ascii: "*"), range.count == 1, method == .other {
            path = 0..<0
        } else {
            try readAbsoluteTarget(range, of: bytes)
        }
    }

    /// `http://host/path`, as proxies send it; the host in it does not matter here.
    private mutating func readAbsoluteTarget(_ range: Range<Int>, of bytes: UnsafeRawBufferPointer) throws(Refusal) {
        let text = UnsafeRawBufferPointer(rebasing: bytes[range])
        let schemes: [StaticString] = ["http://", "https://"]
        guard
            let scheme = schemes.map(\.utf8CodeUnitCount).enumerated().first(where: { index, count in
                text.count > count && UnsafeRawBufferPointer(rebasing: text[..<count]).equals(schemes[index])
            })?.element
        else { throw .badTarget }
        let start = range.lowerBound + scheme
        let end =
            bytes[start..<range.upperBound].firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") }
            ?? range.upperBound
        guard start < end, UnsafeRawBufferPointer(rebasing: bytes[start..<end]).isHost else { throw .badTarget }
        split(end..<range.upperBound, of: bytes)
    }

    private mutating func split(_ range: Range<Int>, of bytes: UnsafeRawBufferPointer) {
        guard let mark = bytes.place(of: UInt8(ascii: "?"), in: range) else {
            path = range
            return
        }
        path = range.lowerBound..<mark
        query = mark + 1..<range.upperBound
    }

    // MARK: Fields

    mutating func readField(_ line: Range<Int>, of bytes: UnsafeRawBufferPointer) throws(Refusal) {
        if bytes[line.lowerBound] == 0x20 || bytes[line.lowerBound] == 0x09 { throw .foldedField }
        guard let colon = bytes.place(of: UInt8(ascii: ":"), in: line) else { throw .badFieldName }
        let name = UnsafeRawBufferPointer(rebasing: bytes[line.lowerBound..<colon])
        guard !name.isEmpty, name.allSatisfy({ ASCIISet.token.contains($0) }) else { throw .badFieldName }
        let place = Self.trimmed(colon + 1..<line.upperBound, of: bytes)
        let value = UnsafeRawBufferPointer(rebasing: bytes[place])
        guard value.isFieldValue else { throw .badFieldValue }
        try keep(name, value, at: place)
    }

    /// The few fields that matter; told apart by their length first, since most requests carry others.
    private mutating func keep(
        _ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, at place: Range<Int>
    ) throws(Refusal) {
        switch name.count {
        case 4 where name.equals("host"):
            if hasHost { throw .repeatedHost }
            guard value.isHost else { throw .badHost }
            hasHost = true
        case 7 where name.equals("upgrade"):
            offersH2C = offersH2C || Self.list(value, has: "h2c")
        case 10 where name.equals("connection"):
            closes = closes || Self.list(value, has: "close")
            connectionNamesUpgrade = connectionNamesUpgrade || Self.list(value, has: "upgrade")
            connectionNamesSettings = connectionNamesSettings || Self.list(value, has: "http2-settings")
        case 13 where name.equals("authorization"):
            if authorization != nil { throw .repeatedAuthorization }
            authorization = place
        case 13 where name.equals("if-none-match"):
            if ifNoneMatch == nil { ifNoneMatch = place } else { furtherIfNoneMatch.append(place) }
        case 14 where name.equals("content-length"):
            try readContentLength(value)
        case 14 where name.equals("http2-settings"):
            settings = place
            settingsCount += 1
        case 15 where name.equals("accept-encoding"):
            encodings.read(value)
        case 17 where name.equals("transfer-encoding"):
            hasTransferEncoding = true
        default: break
        }
    }

    private mutating func readContentLength(_ value: UnsafeRawBufferPointer) throws(Refusal) {
        let isNumber = !value.isEmpty && value.allSatisfy { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
        guard isNumber, !hasContentLength else { throw .badContentLength }
        hasContentLength = true
        hasBody = !value.allSatisfy { $0 == UInt8(ascii: "0") }
    }

    private static func trimmed(_ range: Range<Int>, of bytes: UnsafeRawBufferPointer) -> Range<Int> {
        var (start, end) = (range.lowerBound, range.upperBound)
        while start < end, bytes[start] == 0x20 || bytes[start] == 0x09 { start += 1 }
        while end > start, bytes[end - 1] == 0x20 || bytes[end - 1] == 0x09 { end -= 1 }
        return start..<end
    }

    private static func list(_ value: UnsafeRawBufferPointer, has word: StaticString) -> Bool {
        value.split(separator: UInt8(ascii: ",")).contains { UnsafeRawBufferPointer(rebasing: $0).trimmed.equals(word) }
    }
}
