import NIOCore

/// One request on an HTTP/2 connection, from its head until libnghttp2 closes the stream.
struct HTTP2Stream {
    enum Body {
        case none
        case bytes(ByteBuffer)
        case file(FileBody)
    }

    enum Phase {
        /// Its head came without END_STREAM: a body may follow, which is refused.
        case awaitsEnd
        case awaitsAnswer
        /// The file is being opened.
        case opening
        case answering
    }

    let id: Int32
    var account: RequestAccount
    var phase: Phase
    /// Kept because libnghttp2 reads the fields where they are.
    var form: Rendition?
    var body = Body.none
    /// The client may still send: once the answer has left, it is told not to.
    var isOpenForClient: Bool
    /// When the last byte of the body went out.
    var lastSent: NIODeadline

    init(id: Int32, account: RequestAccount, isWhole: Bool) {
        self.id = id
        self.account = account
        phase = isWhole ? .awaitsAnswer : .awaitsEnd
        isOpenForClient = !isWhole
        lastSent = account.arrived
    }

    /// True when nothing of the body is left to be put into the output.
    var isSentWhole: Bool {
        switch body {
        case .none: true
        case .bytes(let bytes): bytes.readableBytes == 0
        case .file(let file): file.bytesLeft == 0
        }
    }

    /// True if only the client keeps the rest of the answer from being sent.
    var hasBytesToSend: Bool {
        switch body {
        case .none: false
        case .bytes(let bytes): bytes.readableBytes > 0
        case .file(let file): file.chunk.readableBytes > 0
        }
    }
}

/// The streams of a connection at fixed places, so that libnghttp2 can hand the place back instead of a pointer.
struct HTTP2Streams {
    private(set) var places: [HTTP2Stream?] = []
    private var free: [Int] = []

    var count: Int { places.count - free.count }
    var isEmpty: Bool { count == 0 }

    mutating func add(_ stream: HTTP2Stream) -> Int {
        if let place = free.popLast() {
            places[place] = stream
            return place
        }
        places.append(stream)
        return places.count - 1
    }

    mutating func remove(at place: Int) -> HTTP2Stream? {
        guard places.indices.contains(place), let stream = places[place] else { return nil }
        places[place] = nil
        free.append(place)
        return stream
    }

    /// - Returns: what `change` does to the stream at `place`; nil if there is none.
    @discardableResult
    mutating func change<Result>(_ place: Int, _ change: (inout HTTP2Stream) -> Result) -> Result? {
        guard places.indices.contains(place), places[place] != nil else { return nil }
        return change(&places[place]!)
    }

    subscript(place: Int) -> HTTP2Stream? { places.indices.contains(place) ? places[place] : nil }
}
