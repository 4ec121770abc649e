// Calls the recipe for Arduino: amps and watts are the arguments; the exit code is 0 where the reading was accepted.

#include RECIPE

#include <cstdlib>

int main(int, char **arguments) {
  return report(std::strtof(arguments[1], nullptr), std::strtof(arguments[2], nullptr)) ? EXIT_SUCCESS : EXIT_FAILURE;
}
