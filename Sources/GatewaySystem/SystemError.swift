// Why the system refused something: its number for the reason and its sentence about it.

import SystemPackage

/// An error of a system call. It reads as the system's own sentence, such as `No such file or directory`.
package struct SystemError: Error, Hashable, CustomStringConvertible {
    /// The value of `errno`.
    package let number: Int32

    package init(number: Int32) {
        self.number = number
    }

    package static let noSuchFile = SystemError(.noSuchFileOrDirectory)
    package static let accessDenied = SystemError(.permissionDenied)
    package static let notPermitted = SystemError(.notPermitted)
    package static let isDirectory = SystemError(.isDirectory)
    package static let badDescriptor = SystemError(.badFileDescriptor)
    package static let brokenPipe = SystemError(.brokenPipe)
    package static let wouldBlock = SystemError(.wouldBlock)
    package static let connectionRefused = SystemError(.connectionRefused)
    package static let connectionReset = SystemError(.connectionReset)
    package static let hostUnreachable = SystemError(.noRouteToHost)
    package static let networkUnreachable = SystemError(.networkUnreachable)
    package static let timedOut = SystemError(.timedOut)
    package static let tooManyOpenFiles = SystemError(.tooManyOpenFiles)
    package static let tooManyOpenFilesInSystem = SystemError(.tooManyOpenFilesInSystem)

    /// Whether the machine lacks something for sockets that has nothing to do with their peers: descriptors or memory.
    package var isShortage: Bool {
        switch Errno(rawValue: number) {
        case .tooManyOpenFiles, .tooManyOpenFilesInSystem, .noBufferSpace, .noMemory: true
        default: false
        }
    }

    package var description: String { Errno(rawValue: number).description }

    private init(_ error: Errno) {
        number = error.rawValue
    }

    /// Runs a call of swift-system, all of which throw `Errno`.
    static func catching<Result>(_ body: () throws -> Result) throws(SystemError) -> Result {
        do {
            return try body()
        } catch let error as Errno {
            throw SystemError(error)
        } catch {
            throw SystemError(.ioError)
        }
    }
}
