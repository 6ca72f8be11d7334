import NIOCore

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The socket of a plain connection, to write to it past its channel while the channel has nothing to write.
///
/// NIO's way from `write` to the kernel takes a fifth of what the edge does for a small answer: a pipeline, a list of pending
/// writes, a promise's place, two atomic numbers. NIO still opens, reads and closes the socket, and writes what is left
/// over. It hands out the descriptor for a moment only and not once the socket is closed, so no number of another
/// connection can be met here.
struct PlainSocket {
    // What `withUnsafeTransportIfAvailable` finds. It looks for it at each call, which costs more than a microsecond.
    private let transport: any NIOTransportAccessibleChannelCore<NIOBSDSocket.Handle>

    /// - Returns: nil for a channel without a socket.
    init?(_ channel: any Channel) {
        guard let transport = channel._channelCore as? any NIOTransportAccessibleChannelCore<NIOBSDSocket.Handle> else {
            return nil
        }
        self.transport = transport
    }

    /// - Parameter isPart: more follows at once.
    /// - Returns: how many bytes the kernel took; 0 if it has no room or the socket failed, which the channel then finds out.
    func send(_ bytes: UnsafeRawBufferPointer, isPart: Bool = false) -> Int {
        let sent = try? transport.withUnsafeTransport { socket in
            #if canImport(Glibc)
                Glibc.send(
                    socket, bytes.baseAddress, bytes.count, CInt(isPart ? MSG_NOSIGNAL | MSG_MORE : MSG_NOSIGNAL))
            #else
                Darwin.send(socket, bytes.baseAddress, bytes.count, 0)
            #endif
        }
        return max(sent ?? 0, 0)
    }

    /// The kernel takes the bytes from the file itself, so that a file that was cut short makes this call fail and nothing worse.
    ///
    /// - Returns: how many bytes it took; 0 if it has no room, the file ends early or the socket failed, which the channel then
    ///   finds out.
    func send(_ file: OpenFile, _ range: Range<Int>) -> Int {
        #if canImport(Glibc)
            let sent = try? transport.withUnsafeTransport { socket in
                var offset = off_t(range.lowerBound)
                return sendfile(socket, file.descriptor, &offset, range.count)
            }
            return max(sent ?? 0, 0)
        #else
            return 0
        #endif
    }
}
