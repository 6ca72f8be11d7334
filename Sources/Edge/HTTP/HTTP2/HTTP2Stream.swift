import NIOCore

/// A request whose answer could not leave at once: its end, its answer or room for it is waited for.
final class HTTP2Stream {
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
        case over
    }

    let id: Int32
    var account: RequestAccount
    var phase: Phase
    /// The answer, while `answering`.
    var form: Rendition?
    var body = Body.none
    var hasHead = false
    /// What the client lets us send of the body.
    var window: Int
    /// The client may still send: once the answer has left, it is told not to.
    var isOpenForClient: Bool
    /// Its head said that the body has no bytes.
    var announcesNoBody = false
    /// It stands in line for its next turn.
    var isInLine = false
    /// When the last byte of the body went out.
    var lastSent: NIODeadline

    init(_ id: Int32, _ account: RequestAccount, isWhole: Bool, window: Int) {
        self.id = id
        self.account = account
        self.window = window
        phase = isWhole ? .awaitsAnswer : .awaitsEnd
        isOpenForClient = !isWhole
        lastSent = account.arrived
    }

    /// What could be sent now, had the client room for it.
    var bytesAtHand: Int {
        switch body {
        case .none: 0
        case .bytes(let bytes): bytes.readableBytes
        case .file(let file): file.chunk.readableBytes
        }
    }

    /// All that is still to be sent.
    var bytesLeft: Int {
        switch body {
        case .none: 0
        case .bytes(let bytes): bytes.readableBytes
        case .file(let file): file.bytesLeft
        }
    }

    func take(_ count: Int) -> ByteBuffer {
        switch body {
        case .none: return ByteBuffer()
        case .bytes(var bytes):
            let taken = bytes.readSlice(length: count) ?? ByteBuffer()
            body = .bytes(bytes)
            return taken
        case .file(let file): return file.take(count)
        }
    }
}
