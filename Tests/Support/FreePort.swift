import Glibc
import Synchronization

/// Ports are given out one after the other, from a place that differs by process, so that none comes twice for long.
private let lastPort = Mutex(Int.random(in: portsGivenOut))

/// Below those that the kernel takes for outgoing connections (32768 and up on Linux): one of these, given to a test,
/// may carry somebody's connection a moment later, when the server that was told to use it binds it.
package let portsGivenOut = 20_000..<32_000

/// A TCP port that nobody listens on now, on any address.
package func freePort() throws -> Int {
    for _ in portsGivenOut {
        let port = lastPort.withLock { last in
            last = last + 1 < portsGivenOut.upperBound ? last + 1 : portsGivenOut.lowerBound
            return last
        }
        if try isFree(port) { return port }
    }
    throw NoPort()
}

private func isFree(_ port: Int) throws -> Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { throw NoPort() }
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    return withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
    }
}

private struct NoPort: Error {}
